"""`time.Time` as aware `datetime`: the same instant to the nanosecond, in UTC."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

__all__ = ["ZERO_TIME", "decode_timestamp", "encode_timestamp"]

# Go's zero time: the first instant of year 1.
ZERO_TIME = datetime(1, 1, 1, tzinfo=timezone.utc)

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)


class _ExactTime(datetime):
    """A time that remembers the nanoseconds which `datetime` cannot hold, to be sent back as it came."""

    _nanoseconds: int


def decode_timestamp(message: Any) -> datetime:
    """Return the instant of a `google.protobuf.Timestamp`."""
    microseconds, rest = divmod(message.nanos, 1000)
    value = _EPOCH + timedelta(seconds=message.seconds, microseconds=microseconds)
    if rest:
        exact = _ExactTime.fromtimestamp(0, timezone.utc).replace(
            value.year, value.month, value.day, value.hour, value.minute, value.second, value.microsecond
        )
        exact._nanoseconds = rest
        return exact
    return value


def encode_timestamp(value: datetime, message: Any) -> None:
    """Store an instant in a `google.protobuf.Timestamp`.

    Raises:
        TypeError: The value is no `datetime`.
        ValueError: It has no time zone, so that nobody knows which instant is meant.
    """
    if not isinstance(value, datetime):
        raise TypeError(f"expected datetime, got {type(value).__name__}")
    if value.tzinfo is None:
        raise ValueError("expected a time with a zone, such as datetime.now(timezone.utc)")
    microseconds = (value - _EPOCH) // _MICROSECOND
    message.SetInParent()
    message.seconds, rest = divmod(microseconds, 1_000_000)
    message.nanos = rest * 1000 + getattr(value, "_nanoseconds", 0)
