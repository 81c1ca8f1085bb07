"""PostgreSQL's ranges as SQLAlchemy's."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy.dialects.postgresql.ranges import MultiRange, Range

from mattermost_plugin.errors import DataError
from mattermost_plugin.sql._times import date_of, timestamp_of

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["multirange_of", "range_of", "text_of_range"]

_BOUND: dict[str, Callable[[str], Any]] = {
    "DATE": date_of,
    "INT4": int,
    "INT8": int,
    "NUM": Decimal,
    "TS": timestamp_of,
    "TSTZ": timestamp_of,
}
_RANGE = re.compile(r'([\[(])("[^"]*"|[^,"]*),("[^"]*"|[^\])"]*)([\])])|empty')


def range_of(text: str, kind: str) -> Range[Any]:
    """Return a range.

    Args:
        text: As PostgreSQL writes it.
        kind: Name of the type, such as `INT4RANGE`.
    """
    match = _RANGE.fullmatch(text)
    if match is None:
        raise DataError(f"this is no range: {text!r}")
    return _range(match, kind.removesuffix("RANGE"))


def multirange_of(text: str, kind: str) -> MultiRange[Any]:
    """Return a multirange, as `range_of` does."""
    bound = kind.removesuffix("MULTIRANGE")
    return MultiRange(_range(match, bound) for match in _RANGE.finditer(text[1:-1]))


def _range(match: re.Match[str], kind: str) -> Range[Any]:
    if match.group() == "empty":
        return Range(empty=True)
    convert = _BOUND[kind]
    lower, upper = (convert(text) if text else None for text in (match[2].strip('"'), match[3].strip('"')))
    return Range(lower, upper, bounds=cast("Any", match[1] + match[4]))


def text_of_range(value: Any) -> Any:
    """Return a range, or a list of ranges, as PostgreSQL writes it; other values as they are."""
    if isinstance(value, Range):
        return value._stringify()
    if isinstance(value, (list, tuple)):
        return "{" + ",".join(str(text_of_range(item)) for item in value) + "}"
    return value
