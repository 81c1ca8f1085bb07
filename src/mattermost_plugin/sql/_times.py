"""Dates, times and intervals as PostgreSQL writes them with DateStyle ISO, which its Go driver insists on."""

from __future__ import annotations

import re
import sys
from datetime import date, datetime, time, timedelta, timezone, tzinfo

from mattermost_plugin.errors import DataError

__all__ = [
    "date_of",
    "interval_of",
    "text_of_interval",
    "time_of",
    "timestamp_of",
]

_TIME = re.compile(r"(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(?:([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?)?")
# Earlier releases of Python want all digits of a fraction, and minutes of an offset.
_READS_POSTGRES = sys.version_info >= (3, 11)
_INTERVAL = re.compile(
    r"(?:([+-]?\d+) years? ?)?(?:([+-]?\d+) mons? ?)?(?:([+-]?\d+) days? ?)?"
    r"(?:([+-])?(\d+):(\d\d):(\d\d)(?:\.(\d{1,6}))?)?"
)


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
    day, _, rest = text.partition(" ")
    if not rest or rest.endswith("BC"):
        raise _beyond(text, "datetime")
    try:
        return datetime.combine(date_of(day), time_of(rest))
    except DataError:
        raise _beyond(text, "datetime") from None


def interval_of(text: str) -> timedelta:
    """Return a `timedelta`; a month counts as 30 days and a year as 365.

    Raises:
        DataError: It is not written in the interval style `postgres`, infinite or too long.
    """
    match = _INTERVAL.fullmatch(text)
    if match is None or not text:
        raise _beyond(text, "timedelta")
    years, months, days, sign, hours, minutes, seconds, fraction = match.groups()
    clock = timedelta(
        hours=int(hours or 0),
        minutes=int(minutes or 0),
        seconds=int(seconds or 0),
        microseconds=int((fraction or "").ljust(6, "0")),
    )
    try:
        whole = timedelta(days=int(years or 0) * 365 + int(months or 0) * 30 + int(days or 0))
        return whole - clock if sign == "-" else whole + clock
    except OverflowError:
        raise _beyond(text, "timedelta") from None


def text_of_interval(value: timedelta) -> str:
    """Return a `timedelta` as an interval of days and seconds."""
    return f"{value.days} days {value.seconds}.{value.microseconds:06} seconds"
