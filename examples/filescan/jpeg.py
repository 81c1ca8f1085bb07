"""JPEG images without their metadata (ITU T.81, annex B)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from source import Damaged, Source

if TYPE_CHECKING:
    from typing import BinaryIO, Literal

SIGNATURE = b"\xff\xd8\xff"

_SOI, _EOI, _SOS, _COMMENT = 0xD8, 0xD9, 0xDA, 0xFE
_APP0, _EXIF, _ICC, _ADOBE = 0xE0, 0xE1, 0xE2, 0xEE
_APPLICATION = range(0xE0, 0xF0)
_RESTARTS = range(0xD0, 0xD8)

_ORIENTATION = 0x0112


def strip(source: Source, output: BinaryIO) -> None:
    """Write the image without metadata, and without what follows its end.

    What the pixels need stays: the color profile, and which side is up.

    Raises:
        Damaged: It is no JPEG image.
    """
    output.write(source.take(2))
    while True:
        marker = _marker(source)
        if marker == _EOI:
            output.write(bytes((0xFF, marker)))
            return
        if marker in (0x00, 0x01, _SOI) or marker in _RESTARTS:
            raise Damaged("it has a marker where none belongs")
        size = int.from_bytes(source.take(2), "big")
        if size < 2:
            raise Damaged("it has a segment without a length")
        content = _kept(marker, source.take(size - 2))
        if content is not None:
            output.write(bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2, "big") + content)
        if marker == _SOS:
            _copy_scan(source, output)


def _marker(source: Source) -> int:
    if source.take(1) != b"\xff":
        raise Damaged("it has bytes between its segments")
    while (octet := source.take(1)) == b"\xff":
        pass  # any number of these may stand before a marker
    return octet[0]


def _copy_scan(source: Source, output: BinaryIO) -> None:
    """Copy compressed pixels up to the next marker that is no part of them."""
    while True:
        source.copy_to(b"\xff", output)
        following = source.look(2)[1:]
        if not following:
            raise Damaged("it ends too early")
        if following == b"\x00" or following[0] in _RESTARTS:
            source.copy(2, output)
        elif following == b"\xff":
            source.take(1)
        else:
            return


def _kept(marker: int, content: bytes) -> bytes | None:
    """Return what stays of a segment; None: nothing."""
    if marker == _EXIF:
        return _only_orientation(content)
    if marker == _COMMENT:
        return None
    if marker in _APPLICATION:
        profile = marker == _ICC and content.startswith(b"ICC_PROFILE\0")
        return content if profile or marker in (_APP0, _ADOBE) else None
    return content


def _only_orientation(content: bytes) -> bytes | None:
    """Return an Exif segment with nothing but the orientation of the given one, None if it has none."""
    if not content.startswith(b"Exif\0\0"):
        return None
    tiff = content[6:]
    order: Literal["little", "big"] = "little" if tiff[:2] == b"II" else "big"

    def number(at: int, size: int) -> int:
        return int.from_bytes(tiff[at : at + size], order)

    directory = number(4, 4)
    for entry in range(directory + 2, directory + 2 + 12 * number(directory, 2), 12):
        if entry + 12 > len(tiff):
            return None
        if number(entry, 2) == _ORIENTATION and 2 <= number(entry + 8, 2) <= 8:
            orientation = number(entry + 8, 2)
            # Big endian: the header, one directory of one entry (a short), and no further one.
            return (
                b"Exif\0\0MM\0\x2a\0\0\0\x08"
                b"\0\x01\x01\x12\0\x03\0\0\0\x01" + orientation.to_bytes(2, "big") + b"\0\0\0\0\0\0"
            )
    return None
