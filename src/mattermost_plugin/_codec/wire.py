"""Protobuf's wire format: numbers, tags, and what to do with fields that nobody knows."""

from __future__ import annotations

from typing import Any

__all__ = [
    "CHUNK",
    "FIXED32",
    "FIXED64",
    "MAX_DEPTH",
    "SHORT",
    "VARINT",
    "DecodeError",
    "chunk",
    "chunks",
    "fields",
    "long_bytes",
    "long_text",
    "map_entry",
    "read_size",
    "read_tag",
    "read_varint",
    "skip",
    "too_deep",
    "varint",
]

VARINT, FIXED64, CHUNK, GROUP, END_GROUP, FIXED32 = range(6)

#: How deep messages may be nested, as in protobuf's own libraries.
MAX_DEPTH = 100

#: Varints of one byte.
SHORT = [bytes((number,)) for number in range(128)]

_FIRST_CHUNK = 1 << 3 | CHUNK
_SECOND_CHUNK = 2 << 3 | CHUNK
_MAX_SIZE = 2**31 - 1
_MAX_TAG = 2**32 - 1
# Tags and lengths are 32 bits; protobuf's library refuses longer encodings of them.
_SHORT_BYTES = 5


class DecodeError(ValueError):
    """The bytes are no message of the contract."""


def too_deep() -> DecodeError:
    """Return the error for a message that is nested too deeply."""
    return DecodeError("a message is nested too deeply")


def varint(number: int) -> bytes:
    """Return a non-negative number as a base-128 varint."""
    if number < 128:
        return SHORT[number]
    if number < 1 << 14:
        return bytes((number & 127 | 128, number >> 7))
    if 1 << 35 <= number < 1 << 42:  # milliseconds since 1970, today and for a century
        return bytes(
            (
                number & 127 | 128,
                number >> 7 & 127 | 128,
                number >> 14 & 127 | 128,
                number >> 21 & 127 | 128,
                number >> 28 & 127 | 128,
                number >> 35,
            )
        )
    out = bytearray()
    while number >= 128:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def chunk(tag: bytes, content: bytes) -> bytes:
    """Return a length-delimited field."""
    return tag + varint(len(content)) + content


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the varint of at most 64 bits at a position, and the position after it.

    Raises:
        DecodeError: It is longer than ten bytes, or has more than 64 bits.
        IndexError: The data ends before it does.
    """
    number = data[at]
    if number < 128:
        return number, at + 1
    byte = data[at + 1]
    if byte < 128:
        return number & 127 | byte << 7, at + 2
    number = number & 127 | (byte & 127) << 7
    at += 2
    shift = 14
    while True:
        byte = data[at]
        at += 1
        if byte < 128:
            if shift == 63 and byte > 1:
                break
            return number | byte << shift, at
        number |= (byte & 127) << shift
        shift += 7
        if shift > 63:
            break
    raise DecodeError("a number is longer than 64 bits")


def read_tag(data: bytes, at: int) -> tuple[int, int]:
    """Return the tag at a position, and the position after it.

    Raises:
        DecodeError: It is no tag.
        IndexError: The data ends before it does.
    """
    tag, after = read_varint(data, at)
    if tag < 8 or tag > _MAX_TAG or after - at > _SHORT_BYTES:
        raise DecodeError("a field has no valid number")
    return tag, after


def read_size(data: bytes, at: int) -> tuple[int, int]:
    """Return the length at a position, and the position after it.

    Raises:
        DecodeError: It is no length.
        IndexError: The data ends before it does.
    """
    size, after = read_varint(data, at)
    if size > _MAX_SIZE or after - at > _SHORT_BYTES:
        raise DecodeError("a field is longer than 2 GB")
    return size, after


def long_text(data: bytes, at: int) -> tuple[str, int]:
    """Return the text whose length stands at a position, and the position after it."""
    content, stop = _long(data, at)
    return str(content, "utf-8"), stop


def long_bytes(data: bytes, at: int) -> tuple[bytes, int]:
    """Return the bytes whose length stands at a position, and the position after them."""
    size, at = read_size(data, at)
    return data[at : at + size], at + size


def _long(data: bytes, at: int) -> tuple[memoryview, int]:
    size, at = read_size(data, at)
    return memoryview(data)[at : at + size], at + size


def skip(data: bytes, at: int, tag: int, depth: int) -> int:
    """Return the position behind the content of a field, which is not looked at.

    Args:
        data: The message.
        at: Where the content begins.
        tag: What stood in front of it.
        depth: How deep the message is nested.

    Raises:
        DecodeError: The field is malformed.
        IndexError: The data ends before the field does.
    """
    wire_type = tag & 7
    if wire_type == CHUNK:
        size, at = read_size(data, at)
        return at + size
    if wire_type == VARINT:
        return read_varint(data, at)[1]
    if wire_type == FIXED64:
        return at + 8
    if wire_type == FIXED32:
        return at + 4
    if wire_type == GROUP:
        return _skip_group(data, at, tag >> 3, depth + 1)
    raise DecodeError(f"a field has the unknown wire type {wire_type}")


def _skip_group(data: bytes, at: int, number: int, depth: int) -> int:
    if depth > MAX_DEPTH:
        raise too_deep()
    while True:
        tag, at = read_tag(data, at)
        if tag & 7 == END_GROUP:
            if tag >> 3 != number:
                raise DecodeError("a group ends that has not begun")
            return at
        at = skip(data, at, tag, depth)


def fields(data: bytes) -> list[tuple[int, Any]]:
    """Return the fields of a message as (tag, content): an int for a varint, otherwise bytes.

    Groups are left out.

    Raises:
        DecodeError: The bytes are cut short or malformed.
    """
    found: list[tuple[int, Any]] = []
    at = 0
    end = len(data)
    try:
        while at < end:
            tag, at = read_tag(data, at)
            wire_type = tag & 7
            if wire_type == CHUNK:
                size, at = read_size(data, at)
                found.append((tag, data[at : at + size]))
                at += size
            elif wire_type == VARINT:
                number, at = read_varint(data, at)
                found.append((tag, number))
            else:
                before, at = at, skip(data, at, tag, 0)
                if wire_type != GROUP:
                    found.append((tag, data[before:at]))
    except IndexError:
        raise DecodeError("a message is cut short") from None
    if at != end:
        raise DecodeError("a message is cut short")
    return found


def chunks(data: bytes) -> list[bytes]:
    """Return the contents of the field 1 of a message that has no other.

    Raises:
        DecodeError: The bytes are cut short or malformed.
    """
    found = []
    position = 0
    end = len(data)
    try:
        while position < end:
            if data[position] != _FIRST_CHUNK:
                return [content for tag, content in fields(data) if tag == _FIRST_CHUNK]
            size = data[position + 1]
            position += 2
            if size > 127:
                size, position = read_size(data, position - 1)
            found.append(data[position : position + size])
            position += size
    except IndexError:
        raise DecodeError("a message is cut short") from None
    if position != end:
        raise DecodeError("a message is cut short")
    return found


def map_entry(data: bytes) -> tuple[bytes, bytes]:
    """Return key and value of an entry of a map from strings to messages.

    Raises:
        DecodeError: The bytes are cut short or malformed.
    """
    end = len(data)
    # A key and a value of fewer than 128 bytes each, in this order, is what nearly all entries are.
    if end > 4 and data[0] == _FIRST_CHUNK and data[1] < 128:
        middle = data[1] + 2
        if middle + 2 <= end and data[middle] == _SECOND_CHUNK and data[middle + 1] == end - middle - 2 < 128:
            return data[2:middle], data[middle + 2 :]
    key = value = b""
    for tag, content in fields(data):
        if tag == _FIRST_CHUNK:
            key = content
        elif tag == _SECOND_CHUNK:
            value += content  # the parts of one message
    return key, value
