"""Values as JSON has them: models under the names of the server's REST API, times as text, and so on."""

from __future__ import annotations

from operator import is_
from typing import TYPE_CHECKING, Any

from mattermost_plugin._codec.problems import BadValue, Located
from mattermost_plugin._model import Model

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["is_record", "json_object", "json_value"]


def json_object(value: Mapping[str, Any], place: str) -> dict[str, Any]:
    """Return a dict of values as JSON has them.

    Args:
        value: The dict. Values may be models, dataclasses, enums, dates and times, UUIDs, decimals, paths,
            sets, and lists and dicts of them; others stay as they are, and are the codec's to refuse.
        place: What an error calls it.

    Raises:
        ValueError: A value contains itself.
    """
    if not isinstance(value, dict):
        # What may stand there at all is for the codec to say.
        return value  # type: ignore[return-value]
    try:
        return {key: json_value(item, key) for key, item in value.items()}
    except Located as error:
        error.within(place, complete=True)
        raise
    except RecursionError:
        pass
    endless = BadValue("contains itself, or is nested too deeply")
    endless.within(place, complete=True)
    raise endless


def is_record(value: object) -> bool:
    """Whether a value is a model or an object of a dataclass."""
    return isinstance(value, Model) or (
        hasattr(type(value), "__dataclass_fields__") and not isinstance(value, type)
    )


def json_value(value: Any, key: object) -> Any:
    """Return one value, which stands under `key`, as JSON has it; raises as `json_object`."""
    try:
        return _json(value)
    except Located as error:
        error.within(f"[{key!r}]")
        raise


def _json(value: Any) -> Any:
    from enum import Enum

    from mattermost_plugin._codec.registered import registered_case  # with all that any may hold

    if registered_case(value):
        return value  # it travels as it is, and the server writes it as JSON
    if isinstance(value, Enum):
        return _json(value.value)
    if isinstance(value, (list, tuple)):
        found = [json_value(item, index) for index, item in enumerate(value)]
        # A list that came from Go may have a type of its own there.
        return value if all(map(is_, found, value)) else found
    if isinstance(value, (set, frozenset)):
        return [json_value(item, index) for index, item in enumerate(value)]
    if isinstance(value, dict):
        items = {key: json_value(item, key) for key, item in value.items()}
        return value if all(items[key] is value[key] for key in value) else items
    if is_record(value):
        return _record(value)
    # The codec has a word to say about the rest.
    return value if value is None or isinstance(value, (bool, int, float, str, bytes)) else _text(value)


def _record(value: Any) -> dict[str, Any]:
    import dataclasses

    if not isinstance(value, Model):
        return {
            field.name: json_value(getattr(value, field.name), field.name)
            for field in dataclasses.fields(value)
        }
    from mattermost_plugin._gen.json_names import JSON_NAMES

    model = next(
        base for base in type(value).__mro__ if base.__module__.startswith("mattermost_plugin.models")
    )
    names = JSON_NAMES.get(model.__name__, {})
    found: dict[str, Any] = {}
    for python in model.__slots__:  # type: ignore[attr-defined]
        name = names.get(python, python)
        if name is None:
            continue
        inner = json_value(getattr(value, python), python)
        if name or not isinstance(inner, dict):
            found[name or python] = inner
        else:
            found.update(inner)
    return found


def _text(value: Any) -> Any:
    import datetime
    import decimal
    import pathlib
    import uuid

    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, (decimal.Decimal, uuid.UUID, pathlib.PurePath)):
        return str(value)
    return value
