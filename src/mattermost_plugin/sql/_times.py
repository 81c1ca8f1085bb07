"""Dates and times as PostgreSQL writes them in ISO format."""

from __future__ import annotations

import re
import sys
from datetime import date, datetime, time, timedelta, timezone, tzinfo

from mattermost_plugin.errors import DataError

__all__ = ["date_of", "time_of", "timestamp_of"]

_TIME = re.compile(r"(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(?:([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?)?")
# Earlier releases of Python want all digits of a fraction, and minutes of an offset.
_READS_POSTGRES = sys.version_info >= (3, 11)


def _beyond(text: str, kind: str) -> DataError:
    return DataError(f"Python's {kind} cannot be {text!r}; cast the column to text", sqlstate="22008")


def _offset(sign: str | None, hours: str, minutes: str | None, seconds: str | None) -> tzinfo | None:
    if sign is None:
        return None
    offset = timedelta(hours=int(hours), minutes=int(minutes or 0), seconds=int(seconds or 0))
    return timezone(-offset if sign == "-" else offset) if offset else timezone.utc


def date_of(text: str) -> date:
    """Return a `date`.

    Raises:
        DataError: It is infinite, before the year 1 or after 9999.
    """
    try:
        return date(int(text[:4]), int(text[5:7]), int(text[8:])) if len(text) == 10 else _parse_date(text)
    except ValueError:
        raise _beyond(text, "date") from None


def _parse_date(text: str) -> date:
    raise ValueError(text)


def time_of(text: str) -> time:
    """Return a `time`, aware for a `timetz`.

    Raises:
        DataError: It is 24:00.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        raise _beyond(text, "time")
    hour, minute, second, fraction, *zone = match.groups()
    try:
        return time(int(hour), int(minute), int(second), int((fraction or "").ljust(6, "0")), _offset(*zone))
    except ValueError:
        raise _beyond(text, "time") from None


def timestamp_of(text: str) -> datetime:
    """Return a `datetime`, aware for a `timestamptz`.

    Raises:
        DataError: It is infinite, before the year 1 or after 9999.
    """
    if _READS_POSTGRES:
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass  # looked at more closely below
    day, _, rest = text.replace("T", " ").partition(" ")
    if not rest or rest.endswith("BC"):
        raise _beyond(text, "datetime")
    try:
        return datetime.combine(date_of(day), time_of(rest))
    except DataError:
        raise _beyond(text, "datetime") from None
