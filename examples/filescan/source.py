"""Reading a file that cannot seek, by exact sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import BinaryIO

PIECE = 256 * 1024


class Damaged(Exception):
    """An image is not what its format says."""


class Source:
    """A file whose next bytes can be looked at before they are taken."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._held = b""

    def look(self, size: int) -> bytes:
        """Return the next `size` bytes, fewer at the end, and leave them there."""
        while len(self._held) < size and (more := self._file.read(size - len(self._held))):
            self._held += more
        return self._held[:size]

    def take(self, size: int) -> bytes:
        """Return the next `size` bytes.

        Raises:
            Damaged: There are not so many.
        """
        found = self.look(size)
        if len(found) < size:
            raise Damaged("it ends too early")
        self._held = self._held[size:]
        return found

    def copy(self, size: int, output: BinaryIO) -> None:
        """Write the next `size` bytes to `output`."""
        while size:
            piece = self.take(min(size, PIECE))
            output.write(piece)
            size -= len(piece)

    def skip(self, size: int) -> None:
        """Leave the next `size` bytes out."""
        while size:
            size -= len(self.take(min(size, PIECE)))

    def copy_to(self, octet: bytes, output: BinaryIO) -> None:
        """Write what precedes the next `octet` to `output`.

        Raises:
            Damaged: There is none.
        """
        while True:
            held = self.look(PIECE)
            if not held:
                raise Damaged("it ends too early")
            at = held.find(octet)
            end = len(held) if at < 0 else at
            output.write(held[:end])
            self._held = self._held[end:]
            if at >= 0:
                return
