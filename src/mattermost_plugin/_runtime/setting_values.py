"""Values as JSON has them, turned into values of Python's types.

The server keeps settings as JSON, and the System Console stores much of it as text, so numbers and booleans
are also read from text.
"""

from __future__ import annotations

import collections.abc
import decimal
import math
import pathlib
import uuid
from abc import ABC, abstractmethod
from datetime import date, datetime, time
from functools import partial
from typing import TYPE_CHECKING, Any

from mattermost_plugin._runtime.secret_text import SecretText, masked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = [
    "ITEMS",
    "NOTHING",
    "SCALARS",
    "TABLES",
    "Anything",
    "Choice",
    "Converter",
    "Items",
    "Mismatch",
    "Row",
    "Scalar",
    "Table",
    "Union",
]

# Where None would be a value.
NOTHING: Any = object()


class Mismatch(Exception):
    """A value is not what an annotation says.

    Holds no value, since that may be a secret.

    Attributes:
        problems: Where in the value it is, as text to put behind the setting's name, and what is wrong.
    """

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__(problems)
        self.problems = problems

    def within(self, place: str) -> Mismatch:
        """Return the same for the value that holds this one at `place`."""
        return Mismatch([(place + inner, what) for inner, what in self.problems])


class Converter(ABC):
    """Turns values of JSON into values of one type.

    Attributes:
        expected: The type in an error's words.
    """

    expected: str

    @abstractmethod
    def convert(self, value: Any, *, exactly: bool, secret: bool) -> Any:
        """Return the value as the type has it.

        Args:
            value: What JSON holds.
            exactly: Take no text for a number and the like; for unions, where another member may fit better.
            secret: Texts are not to be shown, in `repr` neither.

        Raises:
            Mismatch: It does not fit.
        """

    def allows_none(self) -> bool:
        """Whether None is a value of the type."""
        return False

    def no(self, value: Any) -> Mismatch:
        """Return the error for a value that does not fit."""
        return Mismatch([("", f"should be {self.expected}, but the server has {_kind_of(value)}")])


def _kind_of(value: Any) -> str:
    if value == "":
        return "an empty text"
    names = {type(None): "null", str: "a text", dict: "an object", int: "an int"}
    return names.get(type(value), f"a {type(value).__name__}")


class Anything(Converter):
    """`Any`: the value as it is."""

    expected = "anything"

    def convert(self, value: Any, *, exactly: bool, secret: bool) -> Any:
        return masked(value) if secret else value

    def allows_none(self) -> bool:
        return True


class Scalar(Converter):
    """A type whose values are read one by one."""

    def __init__(self, expected: str, read: Callable[[Any, bool], Any]) -> None:
        """Keep `read`: (value, exactly) -> value of the type, or `NOTHING`."""
        self.expected = expected
        self._read = read

    def convert(self, value: Any, *, exactly: bool, secret: bool) -> Any:
        found = self._read(value, exactly)
        if found is NOTHING:
            raise self.no(value)
        return SecretText(found) if secret and type(found) is str else found

    def allows_none(self) -> bool:
        return self._read(None, True) is None


class Union(Converter):
    """One of several types: the first that fits the value as it is, else the first that it can be read as."""

    def __init__(self, members: list[Converter]) -> None:
        self._members = members
        self.expected = " or ".join(dict.fromkeys(member.expected for member in members))

    def convert(self, value: Any, *, exactly: bool, secret: bool) -> Any:
        told: list[Mismatch] = []
        for strictly in (True,) if exactly else (True, False):
            told = []
            for member in self._members:
                try:
                    return member.convert(value, exactly=strictly, secret=secret)
                except Mismatch as error:  # noqa: PERF203 - another member may fit
                    told.append(error)
        # Where one member alone could be meant, its error says more.
        inside = [error for error in told if any(place for place, _ in error.problems)]
        raise (inside[0] if len(inside) == 1 else self.no(value))

    def allows_none(self) -> bool:
        return any(member.allows_none() for member in self._members)


class Items(Converter):
    """A list, set or tuple of any length."""

    def __init__(self, expected: str, make: Callable[[Iterable[Any]], Any], item: Converter) -> None:
        self.expected = expected
        self._make = make
        self._item = item

    def convert(self, value: Any, *, exactly: bool, secret: bool) -> Any:
        if not isinstance(value, (list, tuple)):
            raise self.no(value)
        found, problems = [], []
        for index, item in enumerate(value):
            try:
                found.append(self._item.convert(item, exactly=exactly, secret=secret))
            except Mismatch as error:  # noqa: PERF203 - all that is wrong is told at once
                problems += error.within(f"[{index}]").problems
        if problems:
            raise Mismatch(problems)
        if not isinstance(self._make([]), list) and any(isinstance(item, (list, dict)) for item in found):
            raise Mismatch([("", f"should be {self.expected} of texts or numbers, but has a list or dict")])
        return self._make(found)


class Row(Converter):
    """A tuple with a type for each place."""

    def __init__(self, items: list[Converter]) -> None:
        self.expected = f"a list of {len(items)} values"
        self._items = items

    def convert(self, value: Any, *, exactly: bool, secret: bool) -> Any:
        if not isinstance(value, (list, tuple)) or len(value) != len(self._items):
            raise self.no(value)
        found, problems = [], []
        for index, (converter, item) in enumerate(zip(self._items, value, strict=True)):
            try:
                found.append(converter.convert(item, exactly=exactly, secret=secret))
            except Mismatch as error:  # noqa: PERF203 - all that is wrong is told at once
                problems += error.within(f"[{index}]").problems
        if problems:
            raise Mismatch(problems)
        return tuple(found)


class Table(Converter):
    """A dict with keys and values of a type each."""

    expected = "dict"

    def __init__(self, key: Converter, value: Converter) -> None:
        self._key = key
        self._value = value

    def convert(self, value: Any, *, exactly: bool, secret: bool) -> Any:
        if not isinstance(value, dict):
            raise self.no(value)
        found, problems = {}, []
        for key, item in value.items():
            place = "[...]" if secret else f"[{key!r}]"
            try:
                name = self._key.convert(key, exactly=False, secret=secret)
            except Mismatch as error:
                problems += error.within(f" key {place}").problems
                continue
            try:
                found[name] = self._value.convert(item, exactly=exactly, secret=secret)
            except Mismatch as error:
                problems += error.within(place).problems
        if problems:
            raise Mismatch(problems)
        return found


class Choice(Converter):
    """`Literal`, or an `Enum`: one of some values, each of which may be written as text."""

    def __init__(self, choices: list[tuple[Any, Any]], other: Callable[[Any], Any] | None = None) -> None:
        """Keep pairs of what the server has and what it means, and what makes one of any other value."""
        self._choices = choices
        self._other = other
        self.expected = " or ".join(dict.fromkeys(repr(stored) for stored, _ in choices)) or "nothing"

    def convert(self, value: Any, *, exactly: bool, secret: bool) -> Any:
        for stored, meant in self._choices:
            # True == 1 to Python, but not to the author of a setting.
            if stored == value and isinstance(stored, bool) == isinstance(value, bool):
                return meant
        if isinstance(value, str) and not exactly:
            for stored, meant in self._choices:
                if (
                    isinstance(stored, (bool, int, float))
                    and _read_plain(type(stored), value, False) == stored
                ):
                    return meant
        made = NOTHING if self._other is None else self._other(value)
        if made is NOTHING:
            raise Mismatch([("", f"should be {self.expected}, but the server has another value")])
        return made

    def allows_none(self) -> bool:
        return any(stored is None for stored, _ in self._choices)


def _read_plain(kind: type[Any], value: Any, exactly: bool) -> Any:
    """Return the bool, int, float or str that a value is or can be read as; `NOTHING` if none."""
    # A bool is an int to Python, but not to the author of a setting.
    if isinstance(value, bool):
        return value if kind is bool else NOTHING
    if isinstance(value, kind):
        return value if kind is not float or math.isfinite(value) else NOTHING
    if kind is str:
        return NOTHING
    # JSON has one type of number.
    if isinstance(value, int) and kind is float:
        return float(value) if abs(value) < 2**1023 else NOTHING
    if isinstance(value, float) and kind is int:
        return int(value) if value.is_integer() else NOTHING
    if not isinstance(value, str) or exactly:
        return NOTHING
    text = value.strip()
    if kind is bool:
        return {"true": True, "false": False}.get(text.lower(), NOTHING)
    found = _parsed(kind, text)
    return found if found is not NOTHING and math.isfinite(found) else NOTHING


def _parsed(kind: Callable[[str], Any], text: str) -> Any:
    # Nothing is raised from here: the error of the parser has the text, which may be a secret.
    try:
        return kind(text)
    except (ValueError, ArithmeticError):
        return NOTHING


def _of_text(kind: Callable[[str], Any]) -> Callable[[Any, bool], Any]:
    return lambda value, _exactly: _parsed(kind, value) if isinstance(value, str) and value else NOTHING


def _decimal(value: Any, _exactly: bool) -> Any:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return NOTHING
    found = _parsed(decimal.Decimal, str(value).strip())
    return found if found is not NOTHING and found.is_finite() else NOTHING


def _point(read: Callable[[str], Any]) -> Callable[[str], Any]:
    # Python 3.10 does not read the Z of JavaScript and Go.
    return lambda text: read(f"{text[:-1]}+00:00" if text.endswith(("Z", "z")) else text)


SCALARS: dict[Any, Converter] = {
    **{kind: Scalar(kind.__name__, partial(_read_plain, kind)) for kind in (bool, int, float, str)},
    type(None): Scalar("None", lambda value, _exactly: None if value is None else NOTHING),
    decimal.Decimal: Scalar("Decimal", _decimal),
    datetime: Scalar("a date and time in ISO format", _of_text(_point(datetime.fromisoformat))),
    date: Scalar("a date in ISO format", _of_text(date.fromisoformat)),
    time: Scalar("a time in ISO format", _of_text(_point(time.fromisoformat))),
    uuid.UUID: Scalar("UUID", _of_text(uuid.UUID)),
    **{
        kind: Scalar("a path", _of_text(kind))
        for kind in (pathlib.Path, pathlib.PurePath, pathlib.PurePosixPath, pathlib.PureWindowsPath)
    },
}
ITEMS: dict[Any, Callable[[Iterable[Any]], Any]] = {
    list: list,
    collections.abc.Sequence: list,
    collections.abc.MutableSequence: list,
    collections.abc.Collection: list,
    collections.abc.Iterable: list,
    set: set,
    collections.abc.Set: set,
    collections.abc.MutableSet: set,
    frozenset: frozenset,
}
TABLES = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
