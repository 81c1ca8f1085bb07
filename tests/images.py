"""Small images with and without metadata, made by hand."""

from __future__ import annotations

import base64
import struct
import zlib

SECRET = b"51.5007 N, 0.1246 W"

# 16 x 8 pixels in shades of grey.
JPEG = base64.b64decode(
    "/9j/2wCEABALDA4MChAODQ4SERATGCgaGBYWGDEjJR0oOjM9PDkzODdASFxOQERXRTc4UG1RV19iZ2hnPk1xeXBkeFxlZ2MB"
    "ERISGBUYLxoaL2NCOEJjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY//AAAsIAAgA"
    "EAEBEQD/xADSAAABBQEBAQEBAQAAAAAAAAAAAQIDBAUGBwgJCgsQAAIBAwMCBAMFBQQEAAABfQECAwAEEQUSITFBBhNRYQci"
    "cRQygZGhCCNCscEVUtHwJDNicoIJChYXGBkaJSYnKCkqNDU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6"
    "g4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS09TV1tfY2drh4uPk5ebn6Onq8fLz9PX29/j5"
    "+v/aAAgBAQAAPwDm9E/hr0DRP4a//9k="
)


def jpeg(*, orientation: int = 0) -> bytes:
    """Return a JPEG image with Exif data, XMP, a comment and something after its end."""
    return b"".join(
        (
            JPEG[:2],
            segment(0xE1, exif(orientation)),
            segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x>" + SECRET + b"</x>"),
            segment(0xED, b"Photoshop 3.0\0" + SECRET),
            segment(0xFE, SECRET),
            JPEG[2:],
            b"a film: " + SECRET,
        )
    )


def segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(content) + 2) + content


def exif(orientation: int) -> bytes:
    """Return Exif data, little endian, with a description and perhaps an orientation."""
    entries = [(0x010E, 2, len(SECRET), 0)]
    if orientation:
        entries.append((0x0112, 3, 1, orientation))
    after = 8 + 2 + 12 * len(entries) + 4
    directory = struct.pack("<H", len(entries))
    for tag, kind, count, value in entries:
        directory += struct.pack("<HHII", tag, kind, count, value or after)
    return b"Exif\0\0II*\0\x08\0\0\0" + directory + bytes(4) + SECRET


def png(*, metadata: bool = True) -> bytes:
    """Return a PNG image of 4 x 4 pixels."""
    pixels = b"".join(b"\0" + bytes([40 * row] * 4) for row in range(4))
    extra = [chunk(b"tEXt", b"Comment\0" + SECRET), chunk(b"eXIf", SECRET), chunk(b"prVt", SECRET)]
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 8, 0, 0, 0, 0)),
            chunk(b"gAMA", struct.pack(">I", 45455)),
            *(extra if metadata else ()),
            chunk(b"IDAT", zlib.compress(pixels)),
            chunk(b"IEND", b""),
            b"a film: " + SECRET if metadata else b"",
        )
    )


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
