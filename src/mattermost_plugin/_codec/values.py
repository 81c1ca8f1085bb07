"""Go's `any` as plain Python values: the `Value` message, read and written by hand.

| Python | Go |
|---|---|
| `None`, `bool`, `str`, `bytes` | `nil`, `bool`, `string`, `[]byte` |
| `int` | `int64`, or `uint64` where it is too large for that |
| `float`, `complex` | `float64`, `complex128` |
| `list`, `tuple`, `dict` with `str` keys | `[]any`, `map[string]any` |
| `datetime` | `time.Time` |
| the models and exceptions that Mattermost registers with gob, lists of them | those types |
| other models, dataclasses, enums | what JSON has for them |

A value that came from Go goes back as the type it had (`kinds`).
"""

from __future__ import annotations

from datetime import datetime
from struct import Struct
from typing import TYPE_CHECKING, Any

from mattermost_plugin._codec import kinds
from mattermost_plugin._codec.problems import BadType, BadValue, Located
from mattermost_plugin._codec.registered import decode_registered, encode_registered, registered_case
from mattermost_plugin._codec.timestamps import decode_timestamp, encode_timestamp
from mattermost_plugin._codec.wire import (
    CHUNK,
    FIXED64,
    VARINT,
    DecodeError,
    chunk,
    chunks,
    fields,
    map_entry,
    read_varint,
    varint,
)
from mattermost_plugin._gen.value_cases import (
    BOOL,
    BYTES,
    COMPLEX,
    DOUBLE,
    GO_KIND,
    INT64,
    LIST,
    MAP,
    STRING,
    TIME,
    UINT64,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["decode_value", "encode_value"]

_double = Struct("<d")
_MASK = 2**64 - 1
_TAGS = {number: varint(number << 3 | CHUNK) for number in (STRING, BYTES, LIST, MAP, TIME, COMPLEX)}
_STRING_TAG, _BYTES_TAG, _LIST_TAG, _MAP_TAG = _TAGS[STRING], _TAGS[BYTES], _TAGS[LIST], _TAGS[MAP]
_INT_TAG = varint(INT64 << 3 | VARINT)
_UINT_TAG = varint(UINT64 << 3 | VARINT)
_DOUBLE_TAG = varint(DOUBLE << 3 | FIXED64)
_KIND_TAG = varint(GO_KIND << 3 | VARINT)
_TRUE = varint(BOOL << 3 | VARINT) + b"\x01"
_FALSE = varint(BOOL << 3 | VARINT) + b"\x00"
_ITEM_TAG = varint(1 << 3 | CHUNK)  # ValueList.items, ValueMap.entries, an entry's key
_ENTRY_VALUE_TAG = varint(2 << 3 | CHUNK)
_INT_BYTE, _BOOL_BYTE, _KIND_BYTE = _INT_TAG[0], _TRUE[0], _KIND_TAG[0]

_GO_BITS = "a number outside -2**63 .. 2**64-1 has no type in Go; send it as a str or a float"


def decode_value(data: bytes) -> Any:
    """Return what a serialized `Value` holds.

    Raises:
        ValueError: The bytes are no `Value`.
    """
    end = len(data)
    if not end:
        return None
    if end > 1:
        # What nearly all values are: one field of fewer than 128 bytes, its length in the second byte; or a
        # number below 128.
        first, second = data[0], data[1]
        if second == end - 2 and second < 128:
            short = _SHORT.get(first)
            if short is not None:
                return short(data[2:])
        if first == _INT_BYTE and data[-1] < 128:
            number, position = read_varint(data, 1)
            if position == end:
                return _decode_int(number)
        elif first == _BOOL_BYTE and end == 2 and second < 128:
            return second != 0
    return _decode_any(data)


def _decode_any(data: bytes) -> Any:
    case = kind = 0
    content: Any = None
    for tag, found in fields(data):
        number = tag >> 3
        if tag == _KIND_BYTE:
            kind = found
        elif tag & 7 != _WIRE_TYPES.get(number, CHUNK):
            raise DecodeError(f"case {number} of a Value has another type on the wire")
        else:
            # The last case counts, but all must be right; the parts of one message are merged.
            if case == number and number not in _SCALARS:
                found = content + found
            elif case:
                _decode_case(case, content)
            case, content = number, found
    if not case:
        return None
    value = _decode_case(case, content)
    if kind not in kinds.KINDS:
        return value
    if not isinstance(value, kinds.KINDS[kind].__mro__[1]):
        raise DecodeError(f"a {type(value).__name__} cannot be of the Go kind {kind}")
    return kinds.KINDS[kind](value)


def _decode_case(case: int, content: Any) -> Any:
    decoder = _DECODERS.get(case)
    return decode_registered(case, content) if decoder is None else decoder(content)


def _decode_int(number: int) -> int:
    return number - 2**64 if number >= 2**63 else number


def _decode_double(data: bytes) -> float:
    number: float = _double.unpack(data)[0]
    return number


def _decode_list(data: bytes) -> list[Any]:
    return [decode_value(item) for item in chunks(data)]


def _decode_map(data: bytes) -> dict[str, Any]:
    found = {}
    for entry in chunks(data):
        key, value = map_entry(entry)
        found[key.decode()] = decode_value(value)
    return found


def _decode_complex(data: bytes) -> complex:
    parts = dict(fields(data))
    zero = bytes(_double.size)
    return complex(*(_decode_double(parts.get(number << 3 | FIXED64, zero)) for number in (1, 2)))


_DECODERS: dict[int, Callable[[Any], Any]] = {
    BOOL: bool,
    INT64: _decode_int,
    UINT64: kinds.UnsignedInt,
    DOUBLE: _decode_double,
    STRING: bytes.decode,
    BYTES: bytes,
    LIST: _decode_list,
    MAP: _decode_map,
    TIME: decode_timestamp,
    COMPLEX: _decode_complex,
}


# How the cases are framed that have no length in front.
_WIRE_TYPES = {BOOL: VARINT, INT64: VARINT, UINT64: VARINT, DOUBLE: FIXED64}
# The cases that are no messages.
_SCALARS = {BOOL, INT64, UINT64, DOUBLE, STRING, BYTES}

# First byte of a Value with one short field -> decoder of its content.
_SHORT: dict[int, Callable[[bytes], Any]] = {
    _STRING_TAG[0]: bytes.decode,
    _BYTES_TAG[0]: bytes,
    _LIST_TAG[0]: _decode_list,
    _MAP_TAG[0]: _decode_map,
}


def encode_value(value: Any) -> bytes:
    """Return a value as a serialized `Value`.

    Raises:
        TypeError: Go's `any` cannot hold a value of that type; the text names the place inside `value`.
        ValueError: A number does not fit, or a string is not valid Unicode.
    """
    encoder = _ENCODERS.get(value.__class__)
    return encoder(value) if encoder is not None else _encode_other(value)


def _encode_str(value: str) -> bytes:
    return _STRING_TAG + _utf8(value)


def _utf8(value: str) -> bytes:
    """Return a string with its length in front."""
    try:
        content = value.encode()
    except UnicodeEncodeError as error:
        raise BadValue(f"not valid Unicode ({error.reason} at position {error.start})") from None
    return varint(len(content)) + content


def _encode_int(value: int) -> bytes:
    if -(2**63) <= value < 2**63:
        return _INT_TAG + varint(value & _MASK)
    return _encode_unsigned(value)


def _encode_unsigned(value: int) -> bytes:
    if 0 <= value <= _MASK:
        return _UINT_TAG + varint(value)
    raise BadValue(f"{value}: {_GO_BITS}")


def _encode_float(value: float) -> bytes:
    return _DOUBLE_TAG + _double.pack(value)


def _encode_complex(value: complex) -> bytes:
    tags = varint(1 << 3 | FIXED64), varint(2 << 3 | FIXED64)
    return chunk(_TAGS[COMPLEX], tags[0] + _double.pack(value.real) + tags[1] + _double.pack(value.imag))


def _encode_list(value: list[Any] | tuple[Any, ...]) -> bytes:
    case = registered_case(value)
    if case:
        return encode_registered(case, value)
    parts: list[bytes] = []
    try:
        for item in value:
            content = encode_value(item)
            parts.append(_ITEM_TAG + varint(len(content)) + content)
    except Located as error:
        error.within(f"[{len(parts)}]")
        raise
    return chunk(_LIST_TAG, b"".join(parts))


def _encode_dict(value: dict[Any, Any]) -> bytes:
    parts = []
    key = None
    try:
        for key, item in value.items():
            if not isinstance(key, str):
                raise BadType(f"expected str as key, got {type(key).__name__}")
            entry = _ITEM_TAG + _utf8(key) + chunk(_ENTRY_VALUE_TAG, encode_value(item))
            parts.append(_ITEM_TAG + varint(len(entry)) + entry)
    except Located as error:
        error.within(f"[{key!r}]")
        raise
    return chunk(_MAP_TAG, b"".join(parts))


def _encode_time(value: datetime) -> bytes:
    try:
        return chunk(_TAGS[TIME], encode_timestamp(value))
    except ValueError as error:
        raise BadValue(str(error)) from None


_ENCODERS: dict[type, Callable[[Any], bytes]] = {
    type(None): lambda _: b"",
    bool: lambda value: _TRUE if value else _FALSE,
    str: _encode_str,
    int: _encode_int,
    kinds.UnsignedInt: _encode_unsigned,
    float: _encode_float,
    complex: _encode_complex,
    bytes: lambda value: chunk(_BYTES_TAG, value),
    bytearray: lambda value: chunk(_BYTES_TAG, bytes(value)),
    list: _encode_list,
    tuple: _encode_list,
    dict: _encode_dict,
}


def _encode_other(value: Any) -> bytes:
    """Encode a value of a class that is not itself in the table: a Go kind, a model, or a subclass."""
    kind = getattr(value, "go_kind", 0)
    if kind and type(value) is kinds.KINDS.get(kind):
        return _encode_kind(value, kind)
    case = registered_case(value)
    if case:
        return encode_registered(case, value)
    if isinstance(value, datetime):
        return _encode_time(value)
    for base in (str, bool, int, float, complex, bytes, list, tuple, dict):
        if isinstance(value, base):
            return _ENCODERS[base](value)
    from enum import Enum

    from mattermost_plugin._codec.json_values import is_record, json_value

    if is_record(value) or isinstance(value, Enum):
        return encode_value(json_value(value, type(value).__name__))
    raise BadType(f"a {type(value).__qualname__} cannot be sent there; send a dict, list, str or number")


def _encode_kind(value: Any, kind: int) -> bytes:
    rule = kinds.element_rule(type(value))
    if rule is not None:
        return _encode_typed_container(value, kind, rule)
    if isinstance(value, int):
        content = (_encode_unsigned if kind in kinds.UNSIGNED else _encode_int)(value)
    elif isinstance(value, float):
        content = _encode_float(value)
    else:
        content = _encode_complex(value)
    return _KIND_TAG + varint(kind) + content


def _encode_typed_container(value: Any, kind: int, rule: kinds.ElementRule) -> bytes:
    if isinstance(value, dict):
        content = _encode_dict(value)
        return _KIND_TAG + varint(kind) + content if rule.allows(value.values()) else content
    if not rule.allows(value):
        # The author added something else to it: then it is a list of anything.
        return _encode_list(list(value))
    items = [kinds.UnsignedInt(item) for item in value] if rule.unsigned else list(value)
    return _KIND_TAG + varint(kind) + _encode_list(items)
