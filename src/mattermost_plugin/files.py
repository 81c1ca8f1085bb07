"""Files that are read and written in pieces, as hooks get them and the API takes and gives them.

Blocking code has ordinary binary files (`typing.BinaryIO`). Code on asyncio has `AsyncReader` and
`AsyncWriter`. Neither can seek: the content is on its way while it is read or written.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Protocol, Union

if TYPE_CHECKING:
    from types import TracebackType
    from typing import BinaryIO

    from typing_extensions import Self

__all__ = [
    "AsyncContent",
    "AsyncReadable",
    "AsyncReader",
    "AsyncWriter",
    "Content",
    "HookReader",
    "HookWriter",
    "Readable",
]

# Bytes of a message. Larger ones bring nothing more (docs/design/files.md has the figures).
_PIECE = 256 * 1024


class Readable(Protocol):
    """A binary file that is open for reading."""

    def read(self, size: int = -1, /) -> bytes:
        """Return at most `size` bytes, none at the end."""
        ...


class AsyncReadable(Protocol):
    """A binary file whose `read` is awaited, such as `asyncio.StreamReader` or a file of aiofiles."""

    def read(self, size: int = -1, /) -> Awaitable[bytes]:
        """Return at most `size` bytes, none at the end."""
        ...


# Written with Union because Python 3.10 evaluates these.
Content = Union[bytes, bytearray, memoryview, Readable, Iterable[bytes]]  # noqa: UP007
AsyncContent = Union[Content, AsyncReadable, AsyncIterable[bytes]]  # noqa: UP007


class AsyncReader:
    """Content that arrives in pieces, for one task at a time to read.

    ```python
    async with await self.api.open_file(file_id) as file:
        async for piece in file:
            digest.update(piece)
    ```
    """

    def __init__(
        self, pieces: AsyncIterator[bytes | memoryview], close: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        """Read what an asynchronous iterator yields.

        Args:
            pieces: The content.
            close: Called once when the reader is closed; None: there is nothing to close.
        """
        self._pieces = pieces
        self._close = close
        self._rest: bytes | memoryview = b""
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether `aclose` was called."""
        return self._closed

    async def read(self, size: int = -1) -> bytes:
        """Return the next `size` bytes, fewer only at the end.

        Args:
            size: How many; negative: all there are.

        Raises:
            ValueError: The reader is closed.
            PluginError: The content cannot be had any more.
        """
        found: list[bytes | memoryview] = []
        missing = size
        while missing != 0:
            piece = self._rest or await self._next()
            if not piece:
                break
            if 0 <= missing < len(piece):
                view = memoryview(piece)
                piece, self._rest = view[:missing], view[missing:]
            else:
                self._rest = b""
            found.append(piece)
            if missing > 0:
                missing -= len(piece)
        return b"".join(found)

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Iterate over the content in pieces of the size in which it comes."""
        return self

    async def __anext__(self) -> bytes:
        piece = self._rest or await self._next()
        self._rest = b""
        if not piece:
            raise StopAsyncIteration
        return bytes(piece)

    async def aclose(self) -> None:
        """Read no more; whoever sends the content is told to stop. Does nothing a second time."""
        if not self._closed:
            self._closed = True
            self._rest = b""
            if self._close is not None:
                await self._close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _next(self) -> bytes | memoryview:
        if self._closed:
            raise ValueError("read of a closed file")
        async for piece in self._pieces:
            if piece:
                return piece
        return b""


class AsyncWriter:
    """Takes content and sends it on in pieces, at the speed at which it is taken there."""

    def __init__(self, send: Callable[[bytes | memoryview], Awaitable[None]]) -> None:
        """Write to a coroutine function, which is called with one piece after the other."""
        self._send = send
        self._held = bytearray()
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether `aclose` was called."""
        return self._closed

    async def write(self, data: bytes | bytearray | memoryview) -> int:
        """Write all of `data` and return how many bytes that were.

        Raises:
            ValueError: The writer is closed.
            TypeError: `data` is not bytes.
            PluginError: Nobody takes the content any more.
        """
        if self._closed:
            raise ValueError("write to a closed file")
        size = len(memoryview(data).cast("B"))
        self._held += data
        while len(self._held) >= _PIECE:
            piece = bytes(memoryview(self._held)[:_PIECE])
            del self._held[:_PIECE]
            await self._send(piece)
        return size

    async def writelines(self, pieces: Iterable[bytes] | AsyncIterable[bytes]) -> None:
        """Write one piece after the other."""
        if isinstance(pieces, AsyncIterable):
            async for piece in pieces:
                await self.write(piece)
        else:
            for piece in pieces:
                await self.write(piece)

    async def flush(self) -> None:
        """Send what was written and is held back for more to come."""
        if self._held:
            piece = bytes(self._held)
            self._held.clear()
            await self._send(piece)

    async def aclose(self) -> None:
        """Send the rest; nothing can be written after. Does nothing a second time."""
        if not self._closed:
            self._closed = True
            await self.flush()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            await self.aclose()
        else:
            # What came before the error is not all there should be.
            self._closed = True
            self._held.clear()


if TYPE_CHECKING:
    # What a hook is given is one of two things: a file for `def`, an asynchronous one for `async def`. An
    # override may declare either; type checkers accept that of a parameter whose type is both.
    class HookReader(BinaryIO, AsyncReader):  # type: ignore[misc]
        """`typing.BinaryIO` for `def` hooks, `AsyncReader` for `async def`."""

    class HookWriter(BinaryIO, AsyncWriter):  # type: ignore[misc]
        """`typing.BinaryIO` for `def` hooks, `AsyncWriter` for `async def`."""

else:
    HookReader = HookWriter = object
