"""Blocking files over content that travels in pieces, and content cut into pieces."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from mattermost_plugin.files import Content

__all__ = ["PIECE", "PieceReader", "PieceWriter", "check_content", "cut", "file_to_read", "pieces"]

# Bytes of a message, as in mattermost_plugin.files.
PIECE = 256 * 1024


def file_to_read(source: Iterator[bytes | memoryview], close: Callable[[], None] | None = None) -> BinaryIO:
    """Return a buffered binary file of what an iterator yields."""
    return cast("BinaryIO", io.BufferedReader(PieceReader(source, close), PIECE))


class PieceReader(io.RawIOBase):
    """A raw file to read from."""

    def __init__(self, source: Iterator[bytes | memoryview], close: Callable[[], None] | None = None) -> None:
        self._source = source
        self._on_close = close
        self._rest: memoryview = memoryview(b"")

    def readable(self) -> bool:
        """Return True: it is there to be read."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Fill the buffer with what is there, or with what comes next; 0 at the end."""
        if self.closed:
            raise ValueError("read of a closed file")
        while not self._rest:
            piece = next(self._source, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        target = memoryview(buffer).cast("B")
        size = min(len(target), len(self._rest))
        target[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size

    def readall(self) -> bytes:
        """Return all there is."""
        if self.closed:
            raise ValueError("read of a closed file")
        rest, self._rest = self._rest, memoryview(b"")
        return b"".join((rest, *self._source))

    def close(self) -> None:
        """Read no more; the sender is told to stop."""
        if not self.closed:
            try:
                super().close()
            finally:
                self._rest = memoryview(b"")
                if self._on_close is not None:
                    self._on_close()


class PieceWriter(io.RawIOBase):
    """A raw file to write to; every piece goes to `send`, which waits while nobody takes it."""

    def __init__(self, send: Callable[[bytes | memoryview], None]) -> None:
        self._send = send

    def writable(self) -> bool:
        """Return True: it is there to be written."""
        return True

    def write(self, data: Any, /) -> int:
        """Send all of `data`."""
        if self.closed:
            raise ValueError("write to a closed file")
        view = memoryview(data).cast("B")
        for piece in cut(view):
            self._send(piece)
        return len(view)


def cut(data: bytes | memoryview) -> Iterator[memoryview]:
    """Return the pieces of what is there already."""
    view = memoryview(data).cast("B")
    return (view[at : at + PIECE] for at in range(0, len(view), PIECE))


def check_content(content: object, name: str, *, asynchronous: bool = False) -> None:
    """Raise `TypeError` for what is no content at all, before anything is sent."""
    if isinstance(content, (bytes, bytearray, memoryview)) or hasattr(content, "read"):
        return
    if asynchronous and hasattr(content, "__aiter__"):
        return
    if isinstance(content, Iterable) and not isinstance(content, (str, dict)):
        return
    hint = " (open it first)" if hasattr(content, "__fspath__") else ""
    raise TypeError(f"{name}: {_EXPECTED}, got {type(content).__name__}{hint}")


def pieces(content: Content, name: str) -> Iterator[bytes | memoryview]:
    """Yield content in pieces that are large, however small those are that it comes in."""
    if isinstance(content, (bytes, bytearray, memoryview)):
        yield from cut(memoryview(content))
    elif hasattr(content, "read"):
        while piece := content.read(PIECE):
            yield from cut(checked(piece, name))
    else:
        held = bytearray()
        for item in content:
            held += checked(item, name)
            yield from take_full(held)
        if held:
            yield bytes(held)


def take_full(held: bytearray) -> Iterator[bytes]:
    """Take whole pieces from what is held back."""
    while len(held) >= PIECE:
        piece = bytes(memoryview(held)[:PIECE])
        del held[:PIECE]
        yield piece


def checked(piece: object, name: str) -> bytes | memoryview:
    """Return a piece that content consists of.

    Raises:
        TypeError: It is not bytes.
    """
    if isinstance(piece, (bytes, bytearray, memoryview)):
        return memoryview(piece)
    raise TypeError(f"{name}: {_EXPECTED}; it gave {type(piece).__name__}")


_EXPECTED = "expected bytes, a binary file or an iterable of bytes"
