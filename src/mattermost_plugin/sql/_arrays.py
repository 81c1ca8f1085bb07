r"""Arrays as PostgreSQL writes them: `{1,NULL,"a \"b\""}`."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mattermost_plugin.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["list_of", "text_of_list"]

_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_TO_ESCAPE = re.compile(r'(["\\])')
# In front of the braces if they do not begin at 1: "[0:2]={...}".
_BOUNDS = re.compile(r"(?:\[-?\d+:-?\d+\])+=")


@lru_cache(maxsize=20)
def _items(delimiter: str) -> re.Pattern[str]:
    """Match a quoted item, one without quotes, or a mark; by what stands between items."""
    between = re.escape(delimiter)
    return re.compile(
        rf'"((?:[^"\\]|\\.)*)"|([^{{}}{between}"\\]+(?:\\.[^{{}}{between}"\\]*)*)|([{{}}{between}])',
        re.DOTALL,
    )


def list_of(text: str, item: Callable[[str], Any], delimiter: str = ",") -> list[Any]:
    """Return an array as (nested) lists.

    Args:
        text: The array.
        item: Makes a value of an item that is not null.
        delimiter: What stands between items: a comma, but for boxes and some types of extensions.

    Raises:
        DataError: It is no array.
    """
    bounds = _BOUNDS.match(text)
    position = bounds.end() if bounds else 0
    items = _items(delimiter)
    stack: list[list[Any]] = []
    root: list[Any] | None = None
    while position < len(text):
        match = items.match(text, position)
        if match is None or (root is not None and not stack):
            raise DataError(f"this is no array: {text!r}")
        position = match.end()
        quoted, plain, mark = match.groups()
        if mark == "{":
            inner: list[Any] = []
            if stack:
                stack[-1].append(inner)
            else:
                root = inner
            stack.append(inner)
        elif mark == "}" and stack:
            stack.pop()
        elif mark is None and stack:
            if plain == "NULL":
                stack[-1].append(None)
            else:
                stack[-1].append(item(_ESCAPED.sub(r"\1", quoted if plain is None else plain)))
    if root is None or stack:
        raise DataError(f"this is no array: {text!r}")
    return root


def text_of_list(items: list[Any] | tuple[Any, ...], text: Callable[[Any], str]) -> str:
    """Return (nested) lists as an array.

    Args:
        items: What it holds.
        text: Writes an item that is neither None nor a list.
    """
    parts = []
    for item in items:
        if item is None:
            parts.append("NULL")
        elif isinstance(item, (list, tuple)):
            parts.append(text_of_list(item, text))
        else:
            parts.append('"' + _TO_ESCAPE.sub(r"\\\1", text(item)) + '"')
    return "{" + ",".join(parts) + "}"
