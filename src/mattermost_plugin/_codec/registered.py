"""The types that Mattermost registers with gob and that may therefore stand inside an `any`."""

from __future__ import annotations

from typing import Any

from mattermost_plugin._codec import kinds
from mattermost_plugin._codec.go_errors import decode_exception, encode_exception
from mattermost_plugin._codec.messages import decode_message
from mattermost_plugin._codec.plans import Plan, plan_of
from mattermost_plugin._codec.wire import CHUNK, DecodeError, chunk, chunks, varint
from mattermost_plugin._gen.value_cases import REGISTERED

__all__ = ["decode_registered", "encode_registered", "registered_case"]

_ITEM = varint(1 << 3 | CHUNK)
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
    if entry.items:
        plan = plan_of(entry.reference)
        content = b"".join([chunk(_ITEM, _encode(plan, item)) for item in value])
    elif entry.exception:
        content = encode_exception(entry.reference, value)
    else:
        content = _encode(plan_of(entry.reference), value)
    return chunk(varint(case << 3 | CHUNK), content)


def decode_registered(case: int, data: bytes) -> Any:
    """Return the value of a registered type.

    Raises:
        DecodeError: This release does not know the case, or the bytes are no such value.
    """
    entry = REGISTERED.get(case)
    if entry is None:
        raise DecodeError(f"Value has a case {case} that this release does not know")
    if entry.exception:
        return decode_exception(entry.reference, data)
    plan = plan_of(entry.reference)
    if entry.items:
        return kinds.REGISTERED_LISTS[case](decode_message(plan, item) for item in chunks(data))
    return decode_message(plan, data)


def _encode(plan: Plan, value: Any) -> bytes:
    out: list[bytes] = []
    plan.encode(value, out)
    return b"".join(out)
