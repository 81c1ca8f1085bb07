"""Finds the value that could not be encoded. Loaded when that first happens."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mattermost_plugin._codec.conversions import RANGES, double, integer, single
from mattermost_plugin._codec.go_errors import exception_class
from mattermost_plugin._codec.plans import MODEL, plan_of
from mattermost_plugin._codec.problems import BadType, BadValue, Located, Unfit, wrong_type
from mattermost_plugin._codec.timestamps import encode_timestamp
from mattermost_plugin._codec.values import encode_value

if TYPE_CHECKING:
    from mattermost_plugin._codec.forms import Form
    from mattermost_plugin._codec.plans import Plan

__all__ = ["fault_of"]


def fault_of(plan: Plan, value: Any) -> Located | None:
    """Return what is wrong with the first field of a message that cannot be encoded; None: nothing is."""
    if plan.shape == MODEL and not isinstance(value, plan.model):
        return wrong_type(plan.model.__name__, value)  # where, its owner knows
    for index, field in enumerate(plan.fields):
        try:
            content = getattr(value, field.name) if plan.shape == MODEL else value[index]
        except AttributeError:
            found: Located | None = BadType("has been deleted")
        else:
            found = _fault(field.form, content)
        if found is not None:
            found.within(f"{plan.place}{field.name}", complete=True)
            return found
    return None


def _fault(form: Form, value: Any) -> Located | None:
    if value is None and (form.presence == "?" or form.kind in "v[{"):
        return None
    match form.kind:
        case "(":
            return _fault(form.inside, value)
        case "[":
            return _list_fault(form, value)
        case "{":
            return _dict_fault(form, value)
        case "v":
            return _value_fault(value)
        case "i" | "I" | "U" | "u":
            return _integer_fault(form, value)
    if not _fits(form, value):
        return wrong_type(form.expected, value)
    if isinstance(value, str):
        return _text_fault(value)
    return _time_fault(value) if form.kind == "t" else None


def _fits(form: Form, value: Any) -> bool:
    kind = form.kind
    if kind in "df":
        try:
            (double if kind == "d" else single)(value)
        except Unfit:
            return False
        return True
    expected: Any = {
        "s": str,
        "e": str,
        "b": bool,
        "y": (bytes, bytearray, memoryview),
        "t": datetime,
        "E": BaseException,
    }.get(kind)
    if kind == "m":
        expected = plan_of(form.reference).model
    elif kind == "x":
        expected = exception_class(form.reference)
    return isinstance(value, expected)


def _list_fault(form: Form, value: Any) -> Located | None:
    if not isinstance(value, (list, tuple)):
        return wrong_type(form.expected, value)
    for index, item in enumerate(value):
        found = _fault(form.inside, item)
        if found is not None:
            found.within(f"[{index}]")
            return found
    return None


def _dict_fault(form: Form, value: Any) -> Located | None:
    if not isinstance(value, Mapping):
        return wrong_type(form.expected, value)
    for key, item in value.items():
        found: Located | None
        if isinstance(key, str):
            found = _text_fault(key) or _fault(form.inside, item)
        else:
            found = wrong_type("str as key", key)
        if found is not None:
            found.within(f"[{key!r}]")
            return found
    return None


def _value_fault(value: Any) -> Located | None:
    try:
        encode_value(value)
    except Located as error:
        return error
    except RecursionError:
        return BadValue("contains itself, or is nested too deeply")
    return None


def _integer_fault(form: Form, value: Any) -> Located | None:
    try:
        number = integer(value)
    except Unfit:
        return wrong_type(form.expected, value)
    name, low, high = RANGES[form.kind]
    return None if low <= number <= high else BadValue(f"{number} does not fit Go's {name}")


def _text_fault(value: str) -> Located | None:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        return BadValue(f"not valid Unicode ({error.reason} at position {error.start})")
    return None


def _time_fault(value: datetime) -> Located | None:
    try:
        encode_timestamp(value)
    except ValueError as error:
        return BadValue(str(error))
    return None
