"""Errors of encoding that say where in the author's data the fault is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mattermost_plugin._codec.plans import Plan

__all__ = ["ENCODING_ERRORS", "BadType", "BadValue", "Located", "Unfit", "explain", "wrong_type"]

#: What encoders raise for data of the wrong shape.
ENCODING_ERRORS = (TypeError, ValueError, AttributeError, OverflowError, RecursionError)


class Unfit(TypeError):
    """A value is not what its field holds; `explain` finds out which one."""


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


def explain(error: BaseException, plan: Plan, value: Any) -> BaseException:
    """Return the error to raise when encoding a message failed.

    Args:
        error: What was raised.
        plan: The plan of the message.
        value: What was to be encoded.

    Returns:
        A `TypeError` or `ValueError` that names model and field, or method and argument; `error` itself where
        no field is to blame.
    """
    if isinstance(error, Located) and error.complete:
        return error
    from mattermost_plugin._codec.faults import fault_of

    return fault_of(plan, value) or error


def wrong_type(expected: str, value: object) -> BadType:
    """Return the error for a value of another type than the expected one."""
    return BadType(f"expected {expected}, got {'None' if value is None else type(value).__name__}")
