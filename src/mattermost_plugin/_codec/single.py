"""Single values that are no messages of fields: their bytes, and what stands for one that is not there."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any

from mattermost_plugin._codec.forms import CHUNKS, Form
from mattermost_plugin._codec.go_errors import decode_error, decode_exception
from mattermost_plugin._codec.plans import known_values
from mattermost_plugin._codec.timestamps import decode_timestamp
from mattermost_plugin._codec.values import decode_value
from mattermost_plugin._codec.wire import CHUNK, FIXED32, FIXED64, VARINT, DecodeError, read_varint
from mattermost_plugin._model import ZERO_TIME

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["DOUBLE", "FLOAT", "content_of", "number_of", "packed", "wire_type", "zero_of"]

DOUBLE = Struct("<d")
FLOAT = Struct("<f")

_ZERO: dict[str, Any] = {
    "s": "",
    "y": b"",
    "b": False,
    **dict.fromkeys("iIuU", 0),
    **dict.fromkeys("df", 0.0),
    "t": ZERO_TIME,
}

_CONTENT: dict[str, Callable[[bytes], Any]] = {
    "s": bytes.decode,
    "y": bytes,
    "v": decode_value,
    "t": decode_timestamp,
    "E": decode_error,
}


def wire_type(kind: str) -> int:
    """Return how values of a kind are framed."""
    if kind in CHUNKS:
        return CHUNK
    return {"d": FIXED64, "f": FIXED32}.get(kind, VARINT)


def content_of(form: Form, content: bytes) -> Any:
    """Return the value of a field whose content has a length in front.

    Raises:
        ValueError: The content is no such value.
    """
    if form.kind == "e":
        return known_values(form.reference)[content.decode()]
    if form.kind == "x":
        return decode_exception(form.reference, content)
    return _CONTENT[form.kind](content)


def number_of(kind: str, data: bytes, at: int) -> Any:
    """Return the number of a kind at a position.

    Raises:
        DecodeError: It is longer than a number can be.
        IndexError: The data ends before it does.
    """
    if kind == "d":
        return DOUBLE.unpack_from(data, at)[0]
    if kind == "f":
        return FLOAT.unpack_from(data, at)[0]
    return convert(kind, read_varint(data, at)[0])


def convert(kind: str, number: int) -> Any:
    """Return what a varint stands for. Of a number with more bits than the type has, the low ones count."""
    if kind == "b":
        return number != 0
    if kind == "i":
        return number - 2**64 if number >= 2**63 else number
    if kind == "U":
        return number
    number &= 2**32 - 1
    return number - 2**32 if kind == "I" and number >= 2**31 else number


def packed(kind: str, data: bytes, at: int, stop: int) -> list[Any]:
    """Return the numbers that stand one after the other.

    Raises:
        DecodeError: They do not end where they should.
        IndexError: The data ends before they do.
    """
    if kind in "df":
        form = DOUBLE if kind == "d" else FLOAT
        if (stop - at) % form.size:
            raise DecodeError("a list of numbers is cut short")
        return [number for (number,) in form.iter_unpack(data[at:stop])]
    found = []
    while at < stop:
        number, at = read_varint(data, at)
        found.append(convert(kind, number))
    if at != stop:
        raise DecodeError("a list of numbers is cut short")
    return found


def zero_of(form: Form) -> Any:
    """Return the value of a field that is not there."""
    return known_values(form.reference)[""] if form.kind == "e" else _ZERO[form.kind]
