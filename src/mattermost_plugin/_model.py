"""What generated models are built on: `Model` for structs, `OpenEnum` for named strings.

A model is a dataclass in all that is visible (`dataclasses.fields`, `replace`, `asdict`, `is_dataclass` and
type checkers agree), but its `__init__` is generated source instead of being compiled by the `dataclass`
decorator at import: that takes about 1 ms per class, and there are hundreds.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator
    from dataclasses import Field

    from typing_extensions import Self, dataclass_transform
else:

    def dataclass_transform(**_):
        """Stand in for `typing.dataclass_transform`, which Python 3.10 lacks and only type checkers need."""
        return lambda decorated: decorated


_T = TypeVar("_T")

__all__ = ["ZERO_TIME", "Model", "OpenEnum", "field_names", "known"]

# Go's zero time: the first instant of year 1.
ZERO_TIME = datetime(1, 1, 1, tzinfo=timezone.utc)


class _Fields:
    """Computes `__dataclass_fields__` of a model class when it is first asked for."""

    def __get__(self, instance: object, owner: type[Model]) -> dict[str, Field[Any]]:
        from mattermost_plugin._annotations import dataclass_fields

        if owner is Model:
            raise AttributeError("__dataclass_fields__")
        found = dataclass_fields(owner)
        type.__setattr__(owner, "__dataclass_fields__", found)
        return found


def field_names(model: type[Model] | Model) -> tuple[str, ...]:
    """Return the names of a model's fields in the order of their declaration."""
    names: tuple[str, ...] = model.__slots__
    return names


@dataclass_transform(kw_only_default=True)
class Model:
    """Base of every type of Mattermost's contract: keyword-only, with slots, compared by value."""

    __slots__: ClassVar[tuple[str, ...]] = ()
    __match_args__: ClassVar[tuple[str, ...]] = ()
    __hash__: ClassVar[None]  # type: ignore[assignment]  # mutable, so not hashable, as a dataclass
    if TYPE_CHECKING:
        __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    else:
        __dataclass_fields__ = _Fields()

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    def __repr__(self) -> str:
        """Show the fields that differ from their defaults."""
        plain = type(self)()
        shown = []
        for name in self.__slots__:
            try:
                value = getattr(self, name)
            except AttributeError:  # deleted by hand; the rest is still worth showing
                continue
            if value != getattr(plain, name):
                shown.append(f"{name}={value!r}")
        return f"{type(self).__qualname__}({', '.join(shown)})"

    def __replace__(self, **changes: Any) -> Self:
        """Return a copy with some fields changed; `copy.replace` calls it."""
        values = {name: getattr(self, name) for name in self.__slots__}
        return type(self)(**{**values, **changes})


class _Known(dict[str, Any]):
    """The instances of an open enum by their value; any other string makes a new instance."""

    def __init__(self, enum: type[OpenEnum]) -> None:
        self._enum = enum

    def __missing__(self, value: str) -> Any:
        # Not kept: strings from the wire could otherwise fill the memory.
        return str.__new__(self._enum, value)


class _OpenEnumType(type):
    """Class of open enums: they can be iterated, and `X("value")` returns the constant of that value."""

    _known: _Known
    _names: dict[str, str]

    if not TYPE_CHECKING:  # a checker looks at __new__, which tells what comes out

        def __call__(cls, value):
            if not isinstance(value, str):
                raise TypeError(f"{cls.__name__} expects a str, got {type(value).__name__}")
            return cls._known[value]

    def __iter__(cls: type[_T]) -> Iterator[_T]:
        return iter(cls._known.values())  # type: ignore[attr-defined] # mypy knows no class of a metaclass

    def __len__(cls) -> int:
        return len(cls._known)

    def __contains__(cls, value: object) -> bool:
        return isinstance(value, str) and value in cls._known

    # A class is true although it has a length.
    def __bool__(cls) -> bool:
        return True


class OpenEnum(str, metaclass=_OpenEnumType):
    """A string with well-known values. Values that this release does not know are kept as they are.

    Where a parameter of this type is expected a plain `str` is accepted. Iterating over the class gives the
    known values.
    """

    __slots__ = ()

    _known: ClassVar[_Known]
    _names: ClassVar[dict[str, str]]

    if TYPE_CHECKING:

        def __new__(cls, value: str) -> Self: ...

    def __init_subclass__(cls, **members: str) -> None:
        cls._known = _Known(cls)
        cls._names = {}
        for name, value in members.items():
            constant = str.__new__(cls, value)
            cls._known.setdefault(value, constant)
            cls._names.setdefault(value, name)
            setattr(cls, name, cls._known[value])

    @property
    def value(self) -> str:
        """The string itself."""
        return str.__str__(self)

    def __repr__(self) -> str:
        name = self._names.get(self)
        return f"{type(self).__name__}.{name}" if name else f"{type(self).__name__}({str.__repr__(self)})"

    # `str` must not show the name: the value is what goes into messages and URLs.
    __str__ = str.__str__
    __format__ = str.__format__

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return type(self), (str(self),)


def known(enum: type[OpenEnum]) -> dict[str, Any]:
    """Return the mapping that turns any string into a value of the enum, as fast as a dict does."""
    return enum._known
