"""Lists and dicts of authors, before protobuf takes them element by element."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["checked_dict", "checked_list"]


def checked_list(value: Any) -> Any:
    """Return a list as it is, and a tuple too.

    Raises:
        TypeError: It is something else, such as a `str`, which would be taken letter by letter.
    """
    if isinstance(value, (list, tuple)):
        return value
    raise TypeError(f"expected list, got {type(value).__name__}")


def checked_dict(value: Any) -> Any:
    """Return a dict, or another mapping, as it is.

    Raises:
        TypeError: It is something else.
    """
    if isinstance(value, Mapping):
        return value
    raise TypeError(f"expected dict, got {type(value).__name__}")
