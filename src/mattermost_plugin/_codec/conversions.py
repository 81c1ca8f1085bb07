"""Values of authors as what the wire holds. What is not the plain type, or not in range, gets here."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any, Final

from mattermost_plugin._codec.problems import Unfit
from mattermost_plugin._codec.single import DOUBLE, FLOAT
from mattermost_plugin._codec.wire import varint

__all__ = ["RANGES", "checked_dict", "checked_list", "double", "integer", "number", "raw", "single", "text"]

_MASK = 2**64 - 1

#: Kind -> Go's name of the type, smallest and largest value.
RANGES: Final = {
    "i": ("int64", -(2**63), 2**63 - 1),
    "I": ("int32", -(2**31), 2**31 - 1),
    "U": ("uint64", 0, 2**64 - 1),
    "u": ("uint32", 0, 2**32 - 1),
}


def text(value: Any) -> str:
    """Return an instance of a subclass of `str` as a plain one.

    Raises:
        Unfit: It is something else.
    """
    if isinstance(value, str):
        return str.__str__(value)
    raise Unfit


def integer(value: Any) -> int:
    """Return a number that is no plain `int`, such as a member of an enum, as one.

    Raises:
        Unfit: It is no integer.
    """
    try:
        return operator.index(value)
    except TypeError:
        raise Unfit from None


def number(kind: str, value: Any) -> bytes:
    """Return an integer as a varint.

    Args:
        kind: As in `forms`; also `b`.
        value: The integer.

    Raises:
        Unfit: It is no integer, or not in the range of the kind.
    """
    if kind == "b":
        if value is True or value is False:
            return b"\x01" if value else b"\x00"
        raise Unfit
    value = integer(value)
    _, low, high = RANGES[kind]
    if low <= value <= high:
        return varint(value & _MASK)
    raise Unfit


def double(value: Any) -> bytes:
    """Return a number as the eight bytes of a double.

    Raises:
        Unfit: It is no number.
    """
    return DOUBLE.pack(_float(value))


def single(value: Any) -> bytes:
    """Return a number as the four bytes of a float.

    Raises:
        Unfit: It is no number, or too large.
    """
    try:
        return FLOAT.pack(_float(value))
    except OverflowError:
        raise Unfit from None


def _float(value: Any) -> float:
    if isinstance(value, (float, int)) and not isinstance(value, bool):
        return float(value)
    raise Unfit


def raw(value: Any) -> bytes:
    """Return bytes of another type than `bytes` as that.

    Raises:
        Unfit: It is something else, such as a `str`.
    """
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    raise Unfit


def checked_list(value: Any) -> Any:
    """Return a list as it is, and a tuple too.

    Raises:
        Unfit: It is something else, such as a `str`, which would be taken letter by letter.
    """
    if isinstance(value, (list, tuple)):
        return value
    raise Unfit


def checked_dict(value: Any) -> Any:
    """Return a dict, or another mapping, as it is.

    Raises:
        Unfit: It is something else.
    """
    if isinstance(value, Mapping):
        return value
    raise Unfit
