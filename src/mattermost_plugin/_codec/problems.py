"""Errors of encoding that say where in the author's data the fault is."""

from __future__ import annotations

from datetime import datetime
from types import UnionType
from typing import TYPE_CHECKING, Any, get_args, get_origin

from mattermost_plugin._codec.annotations import field_types, resolve
from mattermost_plugin._model import Model, OpenEnum

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["ENCODING_ERRORS", "BadType", "BadValue", "Located", "explain", "explain_arguments"]

# Smallest and largest value of protobuf's integer types, by their number in FieldDescriptorProto.Type.
_RANGES = {
    3: ("int64", -(2**63), 2**63 - 1),
    4: ("uint64", 0, 2**64 - 1),
    5: ("int32", -(2**31), 2**31 - 1),
    13: ("uint32", 0, 2**32 - 1),
}

# What protobuf, or code that handles the author's objects, raises for data of the wrong shape.
ENCODING_ERRORS = (TypeError, ValueError, AttributeError, OverflowError)


class Located(Exception):
    """An error that gathers its place from the inside out.

    Attributes:
        problem: What is wrong.
        place: Where, outermost last.
        complete: The place is known up to the field of a model or the parameter of a method.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.place: list[str] = []
        self.complete = False

    def within(self, part: str, *, complete: bool = False) -> None:
        """Put a part in front of the place."""
        self.place.append(part)
        self.complete = self.complete or complete

    def __str__(self) -> str:
        place = "".join(reversed(self.place))
        return f"{place}: {self.problem}" if place else self.problem


class BadType(Located, TypeError):
    """A value of a type that cannot travel there."""


class BadValue(Located, ValueError):
    """A value of the right type that the wire cannot hold."""


def explain(error: BaseException, value: object, model: type[Model], message: Any) -> BaseException:
    """Return the error to raise when encoding a model failed.

    Args:
        error: What was raised.
        value: What was to be encoded.
        model: What it should be.
        message: The protobuf message that was to hold it.

    Returns:
        A `TypeError` or `ValueError` that names model and field, or `error` itself where no field is to
        blame, such as when `value` is no `model` at all (then whoever contains it knows more).
    """
    if isinstance(error, Located) and error.complete:
        return error
    if not isinstance(value, model):
        return BadType(f"expected {model.__name__}, got {_type_name(value)}")
    for name, expected in field_types(model).items():
        place = f"{model.__name__}.{name}"
        try:
            content = getattr(value, name)
        except AttributeError:
            return _complete(BadType("has been deleted"), place)
        found = _fault(content, expected) or _range_fault(content, message, name)
        if found is not None:
            return _complete(found, place)
    return error


def explain_arguments(
    error: BaseException,
    method: str,
    arguments: Sequence[object],
    parameters: Mapping[str, str],
    message: Any,
) -> BaseException:
    """Return the error to raise when encoding a method's arguments or results failed.

    Args:
        error: What was raised.
        method: The method's Python name.
        arguments: What it was given.
        parameters: Name -> annotation.
        message: The protobuf message that was to hold them.
    """
    if isinstance(error, Located) and error.complete:
        return error
    for (name, annotation), content in zip(parameters.items(), arguments, strict=True):
        found = _fault(content, resolve(annotation)) or _range_fault(content, message, name)
        if found is not None:
            return _complete(found, f"{method}(): {name}")
    return error


def _complete(error: Located, place: str) -> Located:
    error.within(place, complete=True)
    return error


def _fault(value: Any, expected: Any) -> Located | None:
    """Return what is wrong with a value, or None."""
    if expected is Any or expected is None:
        return None
    origin = get_origin(expected)
    if origin is UnionType:
        return _union_fault(value, expected)
    if origin is list:
        return _list_fault(value, expected)
    if origin is dict:
        return _dict_fault(value, expected)
    if not _fits(value, expected):
        return _wrong_type(value, expected)
    return _leaf_fault(value)


def _range_fault(value: Any, message: Any, name: str) -> Located | None:
    """Return what is wrong with an integer, or one inside a list or dict, that is too large for its field."""
    field = message.DESCRIPTOR.fields_by_name.get(name)
    if field is None or field.type not in _RANGES:
        return None
    kind, low, high = _RANGES[field.type]
    for number in _integers(value):
        if not low <= number <= high:
            return BadValue(f"{number} does not fit Go's {kind}")
    return None


def _integers(value: Any) -> Iterator[int]:
    if isinstance(value, int):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _integers(item)


def _union_fault(value: Any, expected: Any) -> Located | None:
    options = [option for option in get_args(expected) if option is not type(None)]
    if value is None and len(options) < len(get_args(expected)):
        return None
    faults = [_fault(value, option) for option in options]
    if any(fault is None for fault in faults):
        return None
    deep = [fault for fault in faults if fault is not None and fault.place]
    return deep[0] if deep else _wrong_type(value, expected)


def _list_fault(value: Any, expected: Any) -> Located | None:
    if value is None:
        return None
    if not isinstance(value, (list, tuple)):
        return _wrong_type(value, expected)
    (element,) = get_args(expected)
    for index, item in enumerate(value):
        found = _fault(item, element)
        if found is not None:
            found.within(f"[{index}]")
            return found
    return None


def _dict_fault(value: Any, expected: Any) -> Located | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        return _wrong_type(value, expected)
    key_type, element = get_args(expected)
    for key, item in value.items():
        found = _fault(key, key_type)
        if found is not None:
            found.within(f"[key {key!r}]")
            return found
        found = _fault(item, element)
        if found is not None:
            found.within(f"[{key!r}]")
            return found
    return None


def _fits(value: object, expected: type) -> bool:
    if issubclass(expected, OpenEnum):
        return isinstance(value, str)
    if expected is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if expected is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, expected)


def _leaf_fault(value: Any) -> Located | None:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            return BadValue(f"not valid Unicode ({error.reason} at position {error.start})")
    elif isinstance(value, datetime) and value.tzinfo is None:
        return BadValue("expected a time with a zone, such as datetime.now(timezone.utc)")
    return None


def _wrong_type(value: object, expected: Any) -> BadType:
    return BadType(f"expected {_show(expected)}, got {_type_name(value)}")


def _show(expected: Any) -> str:
    origin = get_origin(expected)
    if origin is UnionType:
        return " | ".join(_show(option) for option in get_args(expected))
    if expected is type(None):
        return "None"
    if origin is not None:
        return f"{origin.__name__}[{', '.join(_show(argument) for argument in get_args(expected))}]"
    return "Any" if expected is Any else str(expected.__name__)


def _type_name(value: object) -> str:
    return "None" if value is None else type(value).__name__
