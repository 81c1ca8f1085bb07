"""Intervals as PostgreSQL writes them, in whichever `IntervalStyle` the session has."""

from __future__ import annotations

import re
from datetime import timedelta

from mattermost_plugin.errors import DataError

__all__ = ["interval_of", "text_of_interval"]

_CLOCK = re.compile(r"([+-]?)(\d+):(\d\d):(\d\d(?:\.\d{1,6})?)")
# `1 year 2 mons -3 days +04:05:06`, and with `@` and `ago` the style postgres_verbose.
_PAIR = re.compile(r"([+-]?\d+(?:\.\d+)?) ([a-z]+?)s?(?: |$)")
_YEARS_AND_MONTHS = re.compile(r"([+-]?)(\d+)-(\d+)")
_DAYS = re.compile(r"[+-]?\d+")
_ISO_8601 = re.compile(r"P(?=.)([^T]*)(?:T(.+))?")
_DESIGNATED = re.compile(r"([+-]?\d+(?:\.\d+)?)([YMWDHS])")

_MICROSECONDS = {"hour": 3_600_000_000, "min": 60_000_000, "sec": 1_000_000}
# A month counts as 30 days and a year as 365.
_DAYS_OF = {"year": 365, "mon": 30, "day": 1}
_DATE_UNITS = {"Y": "year", "M": "mon", "D": "day"}
_TIME_UNITS = {"H": "hour", "M": "min", "S": "sec"}


def interval_of(text: str) -> timedelta:
    """Return a `timedelta`; a month counts as 30 days and a year as 365.

    Raises:
        DataError: It is infinite or too long.
    """
    amounts = _of_words(text) or _of_iso_8601(text) or _of_sql_standard(text)
    if amounts is None:
        raise _beyond(text)
    days = sum(int(amount) * _DAYS_OF[unit] for amount, unit in amounts if unit in _DAYS_OF)
    try:
        return timedelta(
            days=days, microseconds=sum(_micro(*part) for part in amounts if part[1] in _MICROSECONDS)
        )
    except OverflowError:
        pass
    raise _beyond(text)


def _beyond(text: str) -> DataError:
    return DataError(f"Python's timedelta cannot be {text!r}; cast the column to text", sqlstate="22008")


def _micro(amount: str, unit: str) -> int:
    whole, _, fraction = amount.partition(".")
    digits = int(fraction.ljust(6, "0")) if fraction else 0
    return int(whole) * _MICROSECONDS[unit] + (-digits if whole.startswith("-") else digits)


def _of_clock(text: str, sign: str = "") -> list[tuple[str, str]] | None:
    match = _CLOCK.fullmatch(text)
    if match is None:
        return None
    own, hours, minutes, seconds = match.groups()
    minus = "-" if (own or sign) == "-" else ""
    return [(minus + hours, "hour"), (minus + minutes, "min"), (minus + seconds, "sec")]


def _of_words(text: str) -> list[tuple[str, str]] | None:
    """Read the styles postgres and postgres_verbose."""
    if text == "@ 0":
        return [("0", "day")]
    rest = text.removeprefix("@ ")
    ago = rest.endswith(" ago")
    rest = rest.removesuffix("ago") if ago else rest
    found: list[tuple[str, str]] = []
    at = 0
    for match in _PAIR.finditer(rest):
        if match.start() != at or match[2] not in _DAYS_OF | _MICROSECONDS:
            return None
        found.append((match[1], match[2]))
        at = match.end()
    clock = rest[at:]
    if clock:
        read = _of_clock(clock)
        if read is None:
            return None
        found += read
    return [(_negated(amount), unit) for amount, unit in found] if ago else found


def _negated(amount: str) -> str:
    return amount[1:] if amount[0] == "-" else f"-{amount.removeprefix('+')}"


def _of_iso_8601(text: str) -> list[tuple[str, str]] | None:
    match = _ISO_8601.fullmatch(text)
    if match is None:
        return None
    found = []
    for part, units in ((match[1], _DATE_UNITS), (match[2] or "", _TIME_UNITS)):
        pairs = _DESIGNATED.findall(part)
        if "".join(amount + unit for amount, unit in pairs) != part or any(
            unit not in units for _, unit in pairs
        ):
            return None
        found += [(amount, units[unit]) for amount, unit in pairs]
    return found


def _of_sql_standard(text: str) -> list[tuple[str, str]] | None:
    """Read `1-2 3 4:05:06`. A sign in front is that of all, unless each part has its own."""
    parts = text.split()
    own_signs = text.startswith("+") or any(part[0] in "+-" for part in parts[1:])
    sign = "-" if text.startswith("-") and not own_signs else ""
    found: list[tuple[str, str]] = []
    for part in parts:
        months = _YEARS_AND_MONTHS.fullmatch(part)
        if months is not None:
            minus = "-" if (months[1] or sign) == "-" else ""
            found += [(minus + months[2], "year"), (minus + months[3], "mon")]
        elif _DAYS.fullmatch(part):
            found.append((part if part[0] in "+-" else sign + part, "day"))
        else:
            read = _of_clock(part, sign)
            if read is None:
                return None
            found += read
    return found or None


def text_of_interval(value: timedelta) -> str:
    """Return a `timedelta` as an interval of days and seconds."""
    return f"{value.days} days {value.seconds}.{value.microseconds:06} seconds"
