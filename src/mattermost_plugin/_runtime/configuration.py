"""A plugin's settings as the author's dataclass."""

from __future__ import annotations

import dataclasses
import types
import typing
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["fill"]

_T = TypeVar("_T")


def fill(into: type[_T], settings: Mapping[str, Any]) -> _T:
    """Return an instance of the dataclass `into` made of `settings`.

    A setting belongs to the field whose name has the same letters: the server stores the manifest's
    `WarnAfter` as `warnafter`, and the field is called `warn_after`. Settings without a field are left out,
    fields without a setting keep their default. Numbers that the System Console stored as text are read as
    the field's type says.

    Raises:
        TypeError: `into` is no dataclass, or a field without default has no setting.
        ValueError: A setting does not fit the type of its field.
    """
    if not dataclasses.is_dataclass(into):
        raise TypeError(f"load_configuration needs a dataclass, got {into!r}")
    by_letters = {_letters(key): value for key, value in settings.items()}
    hints = typing.get_type_hints(into)
    values = {}
    for field in dataclasses.fields(into):
        if field.init and _letters(field.name) in by_letters:
            values[field.name] = _fit(field.name, by_letters[_letters(field.name)], hints[field.name])
    return into(**values)


def _letters(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


def _fit(name: str, value: Any, hint: Any) -> Any:
    kinds = _plain_types(hint)
    if kinds is None:
        return value
    # A bool is an int to Python, but not to the author of a setting.
    if isinstance(value, tuple(kinds)) and (bool in kinds or not isinstance(value, bool)):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and float in kinds:
        return float(value)
    if isinstance(value, float) and value.is_integer() and int in kinds:
        return int(value)
    if isinstance(value, str):
        for kind in kinds & {bool, int, float}:
            read = _read(value.strip(), kind)
            if read is not None:
                return read
    expected = " or ".join(sorted("None" if kind is type(None) else kind.__name__ for kind in kinds))
    raise ValueError(f"setting {name} should be {expected}, but the server has {value!r}")


def _read(text: str, kind: type) -> Any:
    if kind is bool:
        return {"true": True, "false": False}.get(text.lower())
    try:
        return kind(text)
    except ValueError:
        return None


def _plain_types(hint: Any) -> set[type] | None:
    """Return the classes an annotation allows; None: anything goes."""
    if hint is Any:
        return None
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        allowed: set[type] = set()
        for part in typing.get_args(hint):
            plain = _plain_types(part)
            if plain is None:
                return None
            allowed |= plain
        return allowed
    if hint is None:
        return {type(None)}
    kind = origin or hint
    return {kind} if isinstance(kind, type) and kind is not object else None
