"""The messages of streams: `oneof part { Head head = 1; bytes chunk = 2; }`.

They are read and written by hand, because protobuf would copy a chunk once more on its way.
"""

from __future__ import annotations

from typing import Final

__all__ = ["chunk_of", "head_of", "pack_chunk", "pack_head"]

_HEAD: Final = 0x0A
_CHUNK: Final = 0x12


def pack_head(head: bytes) -> bytes:
    """Return the message that carries a serialized head."""
    return b"\x0a" + _varint(len(head)) + head


def pack_chunk(data: bytes | memoryview) -> bytes:
    """Return the message that carries a piece of content."""
    return b"\x12" + _varint(len(data)) + data


def head_of(message: bytes) -> bytes:
    """Return the serialized head of a message.

    Raises:
        ValueError: The message carries something else.
    """
    if not message or message[0] != _HEAD:
        raise ValueError("the message is not the head of its stream")
    return bytes(_content(message))


def chunk_of(message: bytes) -> memoryview | None:
    """Return the piece of content in a message; None: it is a head.

    Raises:
        ValueError: The message is neither.
    """
    if not message:
        return memoryview(b"")
    if message[0] == _HEAD:
        return None
    if message[0] != _CHUNK:
        raise ValueError("the message is no part of a stream")
    return _content(message)


def _content(message: bytes) -> memoryview:
    size = shift = 0
    at = 1
    while True:
        if at >= len(message) or shift > 35:
            raise ValueError("the message of a stream is cut off")
        octet = message[at]
        at += 1
        size |= (octet & 0x7F) << shift
        shift += 7
        if octet < 0x80:
            break
    if at + size != len(message):
        raise ValueError("the message of a stream is not one part")
    return memoryview(message)[at:]


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
