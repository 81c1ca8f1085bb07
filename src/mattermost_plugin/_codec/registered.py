"""The types that Mattermost registers with gob and that may therefore stand inside an `any`."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from mattermost_plugin._codec import kinds
from mattermost_plugin._codec.messages import message_class
from mattermost_plugin._codec.problems import BadType, Located
from mattermost_plugin._codec.wire import CHUNK, chunk, varint
from mattermost_plugin._gen.value_cases import REGISTERED

__all__ = ["decode_registered", "encode_registered", "registered_case"]

# Name of the Python class (of the elements, for a list) -> number of the case.
_SINGLE = {entry.python_name: number for number, entry in REGISTERED.items() if not entry.items}
_LISTS = {entry.python_name: number for number, entry in REGISTERED.items() if entry.items}


def registered_case(value: object) -> int:
    """Return the number of the case of `Value` that holds such a value; 0 if there is none."""
    if isinstance(value, (list, tuple)):
        if type(value) in _LIST_CLASSES:
            number = _LIST_CLASSES[type(value)]
            return number if _all_of(value, REGISTERED[number].python_name) else 0
        if not value:
            return 0
        number = _LISTS.get(_contract_name(type(value[0])), 0)
        return number if number and _all_of(value, REGISTERED[number].python_name) else 0
    for base in type(value).__mro__:
        number = _SINGLE.get(_contract_name(base), 0)
        if number:
            return number
    return 0


_LIST_CLASSES = {made: number for number, made in kinds.REGISTERED_LISTS.items()}


def _contract_name(kind: type) -> str:
    """Return the name of a class if it is a model or exception of this package."""
    return kind.__name__ if kind.__module__.startswith("mattermost_plugin.") else ""


def _all_of(values: list[Any] | tuple[Any, ...], name: str) -> bool:
    return all(_contract_name(type(value)) == name for value in values)


def encode_registered(case: int, value: Any) -> bytes:
    """Return a value of a registered type as a serialized `Value`."""
    entry = REGISTERED[case]
    message = message_class(entry.key, entry.message)()
    encode = getattr(import_module(entry.codecs), f"encode_{entry.function}")
    if entry.items:
        items = getattr(message, entry.items)
        for item in value:
            encode(item, items.add())
    else:
        try:
            encode(value, message)
        except Located:
            raise
        except TypeError as error:
            raise BadType(str(error)) from error
    return chunk(varint(case << 3 | CHUNK), message.SerializeToString())


def decode_registered(case: int, data: bytes) -> Any:
    """Return the value of a registered type.

    Raises:
        ValueError: This release does not know the case.
    """
    entry = REGISTERED.get(case)
    if entry is None:
        raise ValueError(f"Value has a case {case} that this release does not know")
    message = message_class(entry.key, entry.message).FromString(data)
    decode = getattr(import_module(entry.codecs), f"decode_{entry.function}")
    if entry.items:
        return kinds.REGISTERED_LISTS[case](decode(item) for item in getattr(message, entry.items))
    return decode(message)
