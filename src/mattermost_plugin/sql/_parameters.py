"""Parameters: the places they have in a statement, and their values as PostgreSQL takes them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any
from uuid import UUID

from mattermost_plugin.errors import DataError, ProgrammingError
from mattermost_plugin.sql._arrays import text_of_list
from mattermost_plugin.sql._intervals import text_of_interval
from mattermost_plugin.sql._lexer import tokens

__all__ = ["Parameters", "adapt", "numbered", "numbered_for_all", "numbered_untyped", "renumbered"]

# What an author hands to execute().
Parameters = Sequence[Any] | Mapping[str, Any]

_PLACE = re.compile(r"%(?:\((?P<name>[^)]*)\))?(?P<kind>.?)", re.DOTALL)


def numbered(sql: str, parameters: Parameters) -> tuple[str, list[Any]]:
    """Return a statement with `$1`, `$2`, ... for `%s` or `%(name)s`, and the values in that order.

    Each place is cast to the type its value has in PostgreSQL, so that `SELECT %s` returns an int for an int.
    For texts the place decides: a name in several places is a parameter for each of them, because they may be
    of several types.

    Raises:
        ProgrammingError: Places and values do not match.
    """
    text, rows = numbered_for_all(sql, [parameters])
    return text, rows[0]


def numbered_for_all(sql: str, many: Sequence[Parameters]) -> tuple[str, list[list[Any]]]:
    """Do what `numbered` does for one statement that is run with many sets of parameters."""
    layout = _layout(sql)
    given = [_arranged(layout.names, parameters) for parameters in many]
    columns = list(zip(*given, strict=True)) if layout.names else []
    # Null needs no type where it is written, and a parameter does.
    absent = [all(value is None for value in column) for column in columns]
    text, taken = layout.numbered([_common_cast(column) for column in columns], absent)
    return text, [[adapt(row[key]) for key in taken] for row in given]


def numbered_untyped(sql: str, parameters: Parameters) -> tuple[str, list[Any]]:
    """Do what `numbered` does, without casts to types of values: the text does not depend on the values."""
    layout = _layout(sql)
    values = _arranged(layout.names, parameters)
    text, taken = layout.numbered([""] * len(values), [False] * len(values))
    return text, [adapt(values[key]) for key in taken]


def renumbered(sql: str, many: Sequence[Sequence[Any]]) -> tuple[str, list[list[Any]]]:
    """Do for a statement with `$1`, `$2`, ... what `numbered_untyped` does for one with `%s`."""
    layout = _layout_of_numbered(sql)
    if layout is None:
        return sql, [[adapt(value) for value in row] for row in many]
    count = len(layout.names)
    text, taken = layout.numbered([""] * count, [False] * count)
    return text, [[adapt(row[key]) for key in taken] for row in many]


# Functions that take a value of any type, so that their place does not tell one.
_OF_ANY = re.compile(
    "CONCAT|CONCAT_WS|COUNT|FORMAT|JSONB?_BUILD_(?:ARRAY|OBJECT)|NUM_(?:NON)?NULLS|PG_COLUMN_SIZE|PG_TYPEOF"
    "|QUOTE_(?:LITERAL|NULLABLE)|TO_JSONB?"
)
_NULL_TESTS = (("IS", "NULL"), ("IS", "NOT", "NULL"), ("ISNULL",), ("NOTNULL",))


@dataclass(frozen=True, slots=True)
class _Layout:
    """The places of a statement.

    Attributes:
        parts: The text between them, and the numbers of the names that stand there.
        names: What stands in the places, each name once: names, or numbers for `%s`.
        typeless: For each place, whether nothing around it tells a type.
        shared: Whether a name is one parameter wherever it stands. Where rows are grouped, an expression with
            a parameter has to be the same in two places.
    """

    parts: list[str | int]
    names: list[str | int]
    typeless: list[bool]
    shared: bool

    def numbered(self, casts: Sequence[str], absent: Sequence[bool]) -> tuple[str, list[int]]:
        """Return the text with `$1`, ..., and for each of these which name it is."""
        text: list[str] = []
        taken: list[int] = []
        known: dict[tuple[int, str], int] = {}
        places = iter(self.typeless)
        for part in self.parts:
            if isinstance(part, str):
                text.append(part)
                continue
            typeless = next(places)
            if absent[part]:
                text.append("NULL")
                continue
            cast = casts[part] or ("::text" if typeless else "")
            number = known.get((part, cast)) if cast or self.shared else None
            if number is None:
                taken.append(part)
                number = known[part, cast] = len(taken)
            text.append(f"${number}{cast}")
        return "".join(text), taken


@lru_cache(maxsize=500)
def _layout(sql: str) -> _Layout:
    parts, names = _places(sql)
    count = sum(isinstance(part, int) for part in parts)
    numbers = iter(range(1, count + 1))
    plain = "".join(part if isinstance(part, str) else f"${next(numbers)}" for part in parts)
    typeless, shared = _typeless(plain) if count else ([], False)
    # More than there are places, if the author wrote some of that form.
    return _Layout(parts, names, typeless[:count], shared)


@lru_cache(maxsize=500)
def _layout_of_numbered(sql: str) -> _Layout | None:
    """Return the places `$1`, ...; None if each is a parameter of its own, and has a type."""
    parts: list[str | int] = []
    position = 0
    for token in tokens(sql):
        if _is_place(token.text):
            parts += [sql[position : token.start], int(token.text[1:]) - 1]
            position = token.start + len(token.text)
    parts.append(sql[position:])
    places = [part for part in parts if isinstance(part, int)]
    typeless, shared = _typeless(sql)
    if len(set(places)) == len(places) and not any(typeless):
        return None
    return _Layout(parts, list(range(max(places) + 1)), typeless, shared)


def _is_place(word: str) -> bool:
    return word[0] == "$" and word[1:].isdigit()


def _typeless(sql: str) -> tuple[list[bool], bool]:
    """Return for each place `$1`, ... whether nothing tells its type, and whether names are shared."""
    words = [token.text for token in tokens(sql)]
    found: list[bool] = []
    functions: list[str] = []
    for index, word in enumerate(words):
        if word == "(":
            functions.append(words[index - 1] if index else "")
        elif word == ")" and functions:
            functions.pop()
        elif _is_place(word):
            found.append(_is_typeless(words, index, functions[-1] if functions else ""))
    return found, "GROUP" in words or "DISTINCT" in words


def _is_typeless(words: list[str], index: int, function: str) -> bool:
    """Whether nothing around a place tells its type."""
    before, after = index - 1, index + 1
    alone = words[before : before + 1] in (["("], [","]) and words[after : after + 1] in ([")"], [","])
    if alone and _OF_ANY.fullmatch(function):
        return True
    while words[before : before + 1] == ["("] and words[after : after + 1] == [")"]:
        before, after = before - 1, after + 1
    return any(tuple(words[after : after + len(test)]) == test for test in _NULL_TESTS)


def _places(sql: str) -> tuple[list[str | int], list[str | int]]:
    names: list[str | int] = []
    numbers: dict[str | int, int] = {}
    parts: list[str | int] = []
    position = 0
    for match in _PLACE.finditer(sql):
        parts.append(sql[position : match.start()])
        position = match.end()
        name, kind = match["name"], match["kind"]
        if name is None and kind == "%":
            parts.append("%")
            continue
        if kind != "s":
            raise ProgrammingError(
                f"only %s, %(name)s and %% may stand in a statement with parameters, not {match.group()!r}"
            )
        key: str | int = len(names) if name is None else name
        if key not in numbers:
            numbers[key] = len(names)
            names.append(key)
        parts.append(numbers[key])
    parts.append(sql[position:])
    return parts, names


def _arranged(names: list[str | int], parameters: Parameters) -> list[Any]:
    if isinstance(parameters, Mapping):
        missing = [name for name in names if name not in parameters]
        if missing:
            shown = ", ".join("%s" if isinstance(name, int) else f"%({name})s" for name in missing)
            raise ProgrammingError(f"there is no parameter for {shown}")
        return [parameters[name] for name in names]  # type: ignore[index] # all of them are names
    if isinstance(parameters, (str, bytes)) or not isinstance(parameters, Sequence):
        raise ProgrammingError(f"parameters are a sequence or a mapping, not {type(parameters).__name__}")
    if any(isinstance(name, str) for name in names):
        raise ProgrammingError("%(name)s takes its values from a mapping")
    if len(parameters) != len(names):
        raise ProgrammingError(f"the statement has {len(names)} parameters, but {len(parameters)} were given")
    return list(parameters)


_INT_CASTS = ("::int4", "::int8", "::numeric")
_LIST_CASTS = {"::int4", "::int8", "::numeric", "::float8", "::bool", "::uuid", "::bytea"} | {
    f"::{kind}" for kind in ("timestamptz", "timestamp", "date", "time", "timetz", "interval")
}


def _common_cast(values: Sequence[Any]) -> str:
    """Return the cast that fits all values; none if there is no such."""
    casts = {_cast(value) for value in values if value is not None}
    if casts <= set(_INT_CASTS):
        return max(casts, key=_INT_CASTS.index, default="")
    return casts.pop() if len(casts) == 1 else ""


def _cast(value: Any) -> str:
    match value:
        case bool():
            return "::bool"
        case int():
            return _INT_CASTS[0 if -(2**31) <= value < 2**31 else 1 if -(2**63) <= value < 2**63 else 2]
        case float():
            return "::float8"
        case Decimal():
            return "::numeric"
        case datetime():
            return "::timestamp" if value.tzinfo is None else "::timestamptz"
        case date():
            return "::date"
        case time():
            return "::time" if value.tzinfo is None else "::timetz"
        case timedelta():
            return "::interval"
        case UUID():
            return "::uuid"
        case bytes() | bytearray() | memoryview():
            return "::bytea"
        case list():
            cast = _common_cast(list(_flat(value)))
            return f"{cast}[]" if cast in _LIST_CASTS else ""
    return ""


def _flat(values: list[Any]) -> list[Any]:
    found = []
    for value in values:
        found.extend(_flat(value) if isinstance(value, list) else [value])
    return found


def adapt(value: Any) -> Any:
    """Return a value as one of those that the driver takes: None, bool, int, float, str, bytes.

    Raises:
        ProgrammingError: There is no way to write a value of that type.
        DataError: A text holds what PostgreSQL cannot.
    """
    match value:
        case None | bool():
            return value
        case Enum() if not isinstance(value, (str, int)):
            return adapt(value.value)
        case int():
            return int(value) if -(2**63) <= value < 2**63 else str(int(value))
        case float():
            return float(value) if math.isfinite(value) else _text(value)
        case bytes() | bytearray() | memoryview():
            # Empty bytes would arrive as null, since gob makes nil of them; empty text means the same.
            return bytes(value) or ""
    return _text(value)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return _checked(str.__str__(value.value) if isinstance(value, Enum) else str.__str__(value))
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            return repr(float(value)).replace("inf", "Infinity").replace("nan", "NaN")
        case int() | Decimal() | UUID():
            return str(value)
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return text_of_interval(value)
        case bytes() | bytearray() | memoryview():
            return "\\x" + bytes(value).hex()
        case list():
            return text_of_list(value, _text)
        case dict():
            return json.dumps(value)
        case Enum():
            return _text(value.value)
    raise ProgrammingError(f"there is no way to send a {type(value).__name__} to PostgreSQL; send its text")


def _checked(text: str) -> str:
    if "\0" in text:
        raise DataError("PostgreSQL's texts cannot hold the character NUL", sqlstate="22021")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise DataError(f"a text is not valid Unicode: {error}", sqlstate="22021") from None
    return text
