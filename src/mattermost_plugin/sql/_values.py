"""Values of columns: what PostgreSQL's Go driver makes of them, as Python has them."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from mattermost_plugin.sql._arrays import list_of
from mattermost_plugin.sql._intervals import interval_of
from mattermost_plugin.sql._times import date_of, time_of, timestamp_of

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["BINARY", "DATETIME", "NUMBER", "ROWID", "STRING", "TypeObject", "decoder"]


class TypeObject:
    """What the type codes of some columns compare equal to, as PEP 249 asks for."""

    def __init__(self, name: str, codes: frozenset[str]) -> None:
        self._name = name
        self._codes = codes

    def __eq__(self, other: object) -> bool:
        if isinstance(other, TypeObject):
            return self._codes == other._codes
        return other in self._codes

    def __hash__(self) -> int:
        return hash(self._codes)

    def __repr__(self) -> str:
        return self._name


STRING = TypeObject("STRING", frozenset({"TEXT", "VARCHAR", "BPCHAR", "CHAR", "NAME", "UNKNOWN"}))
BINARY = TypeObject("BINARY", frozenset({"BYTEA"}))
NUMBER = TypeObject("NUMBER", frozenset({"INT2", "INT4", "INT8", "FLOAT4", "FLOAT8", "NUMERIC"}))
DATETIME = TypeObject(
    "DATETIME", frozenset({"DATE", "TIME", "TIMETZ", "TIMESTAMP", "TIMESTAMPTZ", "INTERVAL"})
)
ROWID = TypeObject("ROWID", frozenset({"OID"}))


# In bytes, \\ or \nnn.
_OCTAL = re.compile(rb"\\(?:\\|([0-7]{3}))")


def _bool(text: str) -> bool:
    return text == "t"


def _bytea(text: str) -> bytes:
    if text.startswith("\\x"):
        return bytes.fromhex(text[2:])
    # bytea_output = escape: bytes that are no ASCII in octal, and the backslash twice.
    return _OCTAL.sub(lambda match: bytes([int(match[1], 8)]) if match[1] else b"\\", text.encode("latin-1"))


def _vector(text: str) -> list[int]:
    return [int(item) for item in text.split()]


# From the text of a value.
_FROM_TEXT: dict[str, Callable[[str], Any]] = {
    "BOOL": _bool,
    "BYTEA": _bytea,
    "DATE": date_of,
    "FLOAT4": float,
    "FLOAT8": float,
    "INT2": int,
    "INT4": int,
    "INT8": int,
    "INTERVAL": interval_of,
    "INT2VECTOR": _vector,
    "JSON": json.loads,
    "JSONB": json.loads,
    "NUMERIC": Decimal,
    "OID": int,
    "OIDVECTOR": _vector,
    "TIME": time_of,
    "TIMESTAMP": timestamp_of,
    "TIMESTAMPTZ": timestamp_of,
    "TIMETZ": time_of,
    "UUID": UUID,
}
# What the driver has made something of already.
_READY = frozenset({"BOOL", "BYTEA", "FLOAT4", "FLOAT8", "INT2", "INT4", "INT8"})
_JSON = frozenset({"JSON", "JSONB", "_JSON", "_JSONB"})


def _as_text(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value


@lru_cache(maxsize=500)
def decoder(kind: str, *, parse_json: bool = True) -> Callable[[Any], Any] | None:
    """Return what turns the values of a column that are not null into Python's; None if nothing has to.

    Args:
        kind: Type of the column, as `RowsColumnTypeDatabaseTypeName` has it, or as the plan of its statement
            has it: empty for types of extensions and of the database's own; for an array `_` and the type of
            its items, or what stands between them if that is no comma.
        parse_json: Whether JSON is parsed; otherwise it is text.
    """
    if kind in _READY:
        return None
    if not parse_json and kind in _JSON:
        return _as_text if kind[0] != "_" else _array(str)
    if kind.startswith("_"):
        delimiter = ";" if kind == "_BOX" else kind[1:] if kind[1:] and not kind[1].isalnum() else ","
        # Of a domain over an array, each item is one.
        inner = decoder(kind[1:], parse_json=parse_json) if kind[1:2] == "_" and len(kind) > 1 else None
        return _array(inner or _FROM_TEXT.get(kind[1:], str), "," if inner else delimiter)
    convert = _FROM_TEXT.get(kind)
    if convert is None:
        return _as_text

    def decode(value: Any) -> Any:
        if value.__class__ is bytes:
            return convert(value.decode())
        return convert(value) if isinstance(value, str) else value

    return decode


def _array(item: Callable[[str], Any], delimiter: str = ",") -> Callable[[Any], Any]:
    def decode(value: Any) -> Any:
        return list_of(_as_text(value), item, delimiter)

    return decode
