"""Field types of models at run time, evaluated only when somebody asks for them.

Generated models name each other in annotations without importing each other, so the names are looked up in
`mattermost_plugin.models`, which loads a model when its name is used.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import dataclasses
    from collections.abc import Mapping

__all__ = ["dataclass_fields", "field_types", "resolve"]


class _Names(dict[str, Any]):
    """What an annotation may name."""

    def __missing__(self, name: str) -> Any:
        from mattermost_plugin import errors, models

        home = errors if name in errors.__all__ else models
        if name not in home.__all__:
            raise KeyError(name)
        value = self[name] = getattr(home, name)
        return value


_names = _Names(Any=Any, datetime=datetime)


def resolve(annotation: str) -> Any:
    """Return the type that a generated annotation stands for.

    Raises:
        NameError: It names something that is neither a model nor an exception.
    """
    return eval(annotation, {}, _names)


def field_types(model: type) -> Mapping[str, Any]:
    """Return the type of each field of a model."""
    return {name: resolve(model.__annotations__[name]) for name in model.__slots__}  # type: ignore[attr-defined]


def dataclass_fields(model: type) -> dict[str, dataclasses.Field[Any]]:
    """Return what the `dataclass` decorator would have stored as `__dataclass_fields__`."""
    import dataclasses  # brings `inspect`, which most plugins do without

    plain = model()
    found: dict[str, dataclasses.Field[Any]] = {}
    for name, annotation in field_types(model).items():
        default = getattr(plain, name)
        shared = not isinstance(default, (list, dict)) and not dataclasses.is_dataclass(default)
        field: dataclasses.Field[Any] = (
            dataclasses.field(default=default, kw_only=True)
            if shared
            else dataclasses.field(default_factory=type(default), kw_only=True)
        )
        field.name = name
        field.type = annotation
        # What tells a field from a ClassVar or an InitVar; dataclasses has no public name for it.
        field._field_type = dataclasses._FIELD  # type: ignore[attr-defined]
        found[name] = field
    return found
