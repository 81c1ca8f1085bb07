"""PNG images without their metadata (https://www.w3.org/TR/png/)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from source import Damaged, Source

if TYPE_CHECKING:
    from typing import BinaryIO

SIGNATURE = b"\x89PNG\r\n\x1a\n"

# Chunks that say how the pixels look. Text, dates, Exif and what nobody knows is left out.
_KEPT = frozenset(b"IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP cICP sBIT bKGD pHYs acTL fcTL fdAT".split())


def strip(source: Source, output: BinaryIO) -> None:
    """Write the image without metadata, and without what follows its end.

    Raises:
        Damaged: It is no PNG image.
    """
    output.write(source.take(len(SIGNATURE)))
    while True:
        head = source.take(8)
        size, kind = int.from_bytes(head[:4], "big"), head[4:]
        if size >= 1 << 31 or not kind.isalpha():
            raise Damaged("it has a chunk that is none")
        if kind in _KEPT:
            output.write(head)
            source.copy(size + 4, output)  # the checksum follows
        else:
            source.skip(size + 4)
        if kind == b"IEND":
            return
