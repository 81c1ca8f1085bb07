"""Annotations of a settings class: what converts the values of each."""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from typing import Any, Literal, TypeVar

from mattermost_plugin._model import OpenEnum
from mattermost_plugin._runtime.secret_text import is_secret_name
from mattermost_plugin._runtime.setting_values import (
    ITEMS,
    NOTHING,
    SCALARS,
    TABLES,
    Anything,
    Choice,
    Converter,
    Items,
    Mismatch,
    Row,
    Scalar,
    Table,
    Union,
)

__all__ = ["Record", "letters_of", "record_of"]

_Bound = dict[Any, Any]  # TypeVar -> what it stands for


def letters_of(name: str) -> str:
    """Return what has to be equal in the names of a setting and of its field."""
    return name.replace("_", "").replace("-", "").lower()


@dataclasses.dataclass(slots=True)
class _Field:
    name: str
    converter: Converter
    required: bool


class Record(Converter):
    """A class with fields: a dataclass, `NamedTuple` or `TypedDict`."""

    def __init__(self, kind: Any) -> None:
        self.expected = f"an object ({kind.__name__})"
        self._kind = kind
        self.fields: dict[str, _Field] = {}  # by the letters of their names

    def convert(self, value: Any, *, exactly: bool, secret: bool) -> Any:
        if not isinstance(value, dict):
            raise self.no(value)
        return self.fill(value, frozenset(), exactly=exactly, secret=secret)

    def fill(
        self,
        settings: dict[str, Any],
        secrets: frozenset[str],
        *,
        exactly: bool = False,
        secret: bool = False,
    ) -> Any:
        """Return an object of the class.

        Args:
            settings: Values by key; those without a field are left out.
            secrets: Letters of the keys that are secret, beside those whose names say so.
            exactly: As for `convert`.
            secret: As for `convert`.

        Raises:
            Mismatch: Values do not fit, or are missing.
        """
        # Null, and empty text where no text can be, is what a new installation has: no setting.
        stored = {letters_of(str(key)): value for key, value in settings.items() if value is not None}
        values, problems = {}, []
        for letters, field in self.fields.items():
            hidden = secret or letters in secrets or is_secret_name(letters)
            value = stored.get(letters)
            try:
                if value is not None:
                    values[field.name] = field.converter.convert(value, exactly=exactly, secret=hidden)
                    continue
                missing = Mismatch([("", f"should be {field.converter.expected}, but is not set")])
            except Mismatch as error:
                missing = error
            if value is not None and value != "":
                problems += missing.within(f".{field.name}").problems
            elif field.required and field.converter.allows_none():
                values[field.name] = None
            elif field.required:
                problems += missing.within(f".{field.name}").problems
        if problems:
            raise Mismatch(problems)
        return self._kind(**values)


def record_of(kind: Any) -> Record:
    """Return what fills a class, or a generic one with its parameters.

    Raises:
        TypeError: An annotation in it is of a kind that settings cannot have, or cannot be read.
    """
    return _record(kind, {}, {})


def _record(kind: Any, bound: _Bound, known: dict[Any, Record]) -> Record:
    # A class may hold itself, directly or not.
    if kind in known:
        return known[kind]
    plain = typing.get_origin(kind) or kind
    record = known[kind] = Record(plain)
    parameters = getattr(plain, "__parameters__", ())
    inner = dict(zip(parameters, (_resolved(part, bound) for part in typing.get_args(kind)), strict=False))
    try:
        hints = typing.get_type_hints(plain)
    except (NameError, AttributeError, SyntaxError, TypeError) as error:
        raise TypeError(
            f"the annotations of {plain.__name__} cannot be read: {error}; define or import what they name "
            "in the module itself, not in a function nor under TYPE_CHECKING"
        ) from error
    for name, required in _fields(plain, hints):
        letters = letters_of(name)
        if letters in record.fields:
            raise TypeError(
                f"{plain.__name__}.{name} and .{record.fields[letters].name} would be one setting: rename one"
            )
        converter = _converter(hints[name], f"{plain.__name__}.{name}", inner, known)
        record.fields[letters] = _Field(name, converter, required)
    return record


def _fields(kind: Any, hints: dict[str, Any]) -> list[tuple[str, bool]]:
    """Return the names of what a class is made of, and whether each has to be there."""
    if typing.is_typeddict(kind):
        return [(name, name in kind.__required_keys__) for name in hints]
    if hasattr(kind, "_field_defaults"):
        return [(name, name not in kind._field_defaults) for name in kind._fields]
    # What only __post_init__ gets is no field to `dataclasses`.
    found = [
        (name, not hasattr(kind, name))
        for name, hint in hints.items()
        if isinstance(hint, dataclasses.InitVar)
    ]
    found += [
        (field.name, field.default is field.default_factory is dataclasses.MISSING)
        for field in dataclasses.fields(kind)
        if field.init
    ]
    return found


def _resolved(hint: Any, bound: _Bound) -> Any:
    return bound.get(hint, hint) if isinstance(hint, TypeVar) else hint


def _converter(hint: Any, place: str, bound: _Bound, known: dict[Any, Record]) -> Converter:
    hint = _plain(hint, bound)
    if hint is Any or hint is object:
        return Anything()
    if hint in SCALARS:
        return SCALARS[hint]
    arguments = typing.get_args(hint)
    plain = typing.get_origin(hint) or hint

    def inner(part: Any) -> Converter:
        return _converter(part, place, bound, known)

    if plain in (typing.Union, types.UnionType):
        return Union([inner(part) for part in arguments])
    if plain is Literal:
        return Choice([(value, value) for value in arguments])
    found = _container(plain, [inner(part) for part in arguments if part not in (Ellipsis, ())], hint)
    if found is None and isinstance(plain, type):
        found = _class(plain, hint, bound, known)
    if found is not None:
        return found
    raise TypeError(
        f"{place} is {_shown(hint)}, which a setting cannot be: use bool, int, float, str, Decimal, "
        "datetime, date, time, UUID, Path, Literal, an Enum, a dataclass, TypedDict or NamedTuple, lists, "
        "sets, tuples and dicts of them, unions, or Any; field(init=False) is for what is no setting"
    )


def _container(plain: Any, parts: list[Converter], hint: Any) -> Converter | None:
    if plain is tuple and parts and Ellipsis not in typing.get_args(hint):
        return Row(parts)
    if plain is tuple:
        return Items("list", tuple, parts[0] if parts else Anything())
    if plain in ITEMS:
        return Items("list", ITEMS[plain], parts[0] if parts else Anything())
    if plain in TABLES:
        key, value = parts or (Anything(), Anything())
        return Table(key, value)
    return None


def _class(plain: type, hint: Any, bound: _Bound, known: dict[Any, Record]) -> Converter | None:
    if issubclass(plain, enum.Enum):
        return _enum(plain)
    if issubclass(plain, OpenEnum):
        return Scalar(plain.__name__, lambda value, _: plain(value) if isinstance(value, str) else NOTHING)
    if dataclasses.is_dataclass(plain) or typing.is_typeddict(plain) or hasattr(plain, "_field_defaults"):
        return _record(hint, bound, known)
    return None


def _plain(hint: Any, bound: _Bound) -> Any:
    """Return an annotation without what says nothing about values: aliases, NewType, InitVar, ..."""
    while True:
        if isinstance(hint, TypeVar):
            found = bound.get(hint, NOTHING)
            if found is NOTHING:
                # Built from a tuple, which `|` cannot be.
                several = typing.Union[hint.__constraints__] if hint.__constraints__ else None  # noqa: UP007
                found = several or hint.__bound__ or Any
            hint = found
        elif isinstance(hint, dataclasses.InitVar):
            hint = hint.type
        elif hasattr(hint, "__supertype__"):
            hint = hint.__supertype__
        elif type(hint).__name__ == "TypeAliasType":
            hint = hint.__value__
        elif typing.get_origin(hint) is typing.Annotated or getattr(typing.get_origin(hint), "_name", "") in (
            "Final",
            "Required",
            "NotRequired",
            "ReadOnly",
        ):
            hint = typing.get_args(hint)[0]
        elif hint is getattr(typing, "LiteralString", NOTHING):
            return str
        elif hint is None:
            return type(None)
        else:
            return hint


def _enum(kind: type[enum.Enum]) -> Choice:
    """Return what reads an enum's values, and the names where the author cannot know the values."""

    def other(value: Any) -> Any:
        named = kind.__members__.get(value) if isinstance(value, str) else None
        if named is not None:
            return named
        if isinstance(value, bool):
            return NOTHING
        try:
            return kind(value)  # what `_missing_` makes of it, and flags
        except (ValueError, TypeError):
            return NOTHING

    return Choice([(member.value, member) for member in kind], other)


def _shown(hint: Any) -> str:
    return hint.__qualname__ if isinstance(hint, type) else str(hint)
