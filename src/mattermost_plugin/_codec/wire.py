"""The few pieces of protobuf's wire format that `Value` is read and written with.

`Value` is a tree of tiny messages; making an object of the protobuf library for each of its nodes takes
longer than reading them here, and the library refuses trees deeper than 50 values.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "CHUNK",
    "FIXED32",
    "FIXED64",
    "VARINT",
    "WireError",
    "chunk",
    "chunks",
    "fields",
    "map_entry",
    "read_varint",
    "varint",
]

VARINT, FIXED64, CHUNK, FIXED32 = 0, 1, 2, 5

_FIRST_CHUNK = 1 << 3 | CHUNK
_SECOND_CHUNK = 2 << 3 | CHUNK

_SINGLE = [bytes((number,)) for number in range(128)]


class WireError(ValueError):
    """The bytes are no protobuf message."""


def varint(number: int) -> bytes:
    """Return a non-negative number as a base-128 varint."""
    if number < 128:
        return _SINGLE[number]
    out = bytearray()
    while number >= 128:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def chunk(tag: bytes, content: bytes) -> bytes:
    """Return a length-delimited field."""
    return tag + varint(len(content)) + content


def read_varint(data: bytes, position: int) -> tuple[int, int]:
    """Return the varint at a position, and the position after it."""
    byte = data[position]
    position += 1
    if byte < 128:
        return byte, position
    number = byte & 127
    shift = 7
    while True:
        byte = data[position]
        position += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, position
        shift += 7
        if shift > 63:
            raise WireError("a varint is longer than ten bytes")


def fields(data: bytes) -> list[tuple[int, Any]]:
    """Return the fields of a message as (number, content): an int, or bytes for what has a length.

    Fixed-width numbers are returned as their bytes.

    Raises:
        WireError: The bytes are cut short or malformed.
    """
    found: list[tuple[int, Any]] = []
    position = 0
    end = len(data)
    try:
        while position < end:
            tag, position = read_varint(data, position)
            wire_type = tag & 7
            if wire_type == CHUNK:
                size, position = read_varint(data, position)
                content: Any = data[position : position + size]
                position += size
            elif wire_type == VARINT:
                content, position = read_varint(data, position)
            elif wire_type == FIXED64:
                content = data[position : position + 8]
                position += 8
            elif wire_type == FIXED32:
                content = data[position : position + 4]
                position += 4
            else:
                raise WireError(f"unknown wire type {wire_type}")
            found.append((tag >> 3, content))
    except IndexError:
        raise WireError("a message is cut short") from None
    if position != end:
        raise WireError("a message is cut short")
    return found


def chunks(data: bytes) -> list[bytes]:
    """Return the contents of the field 1 of a message that has no other.

    Raises:
        WireError: The bytes are cut short or malformed.
    """
    found = []
    position = 0
    end = len(data)
    try:
        while position < end:
            if data[position] != _FIRST_CHUNK:
                return [_octets(content) for number, content in fields(data) if number == 1]
            size = data[position + 1]
            position += 2
            if size > 127:
                size, position = read_varint(data, position - 1)
            found.append(data[position : position + size])
            position += size
    except IndexError:
        raise WireError("a message is cut short") from None
    if position != end:
        raise WireError("a message is cut short")
    return found


def map_entry(data: bytes) -> tuple[bytes, bytes]:
    """Return key and value of an entry of a map from strings to messages.

    Raises:
        WireError: The bytes are cut short or malformed.
    """
    end = len(data)
    # A key and a value of fewer than 128 bytes each, in this order, is what nearly all entries are.
    if end > 4 and data[0] == _FIRST_CHUNK and data[1] < 128:
        middle = data[1] + 2
        if middle + 2 <= end and data[middle] == _SECOND_CHUNK and data[middle + 1] == end - middle - 2 < 128:
            return data[2:middle], data[middle + 2 :]
    key = value = b""
    for number, content in fields(data):
        if number == 1:
            key = _octets(content)
        elif number == 2:
            value = _octets(content)
    return key, value


def _octets(content: int | bytes) -> bytes:
    if isinstance(content, int):
        raise WireError("a field has another type on the wire")
    return content
