"""`time.Time` as aware `datetime`: the same instant to the nanosecond, in UTC."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from mattermost_plugin._codec.wire import VARINT, DecodeError, fields, varint

__all__ = ["decode_timestamp", "encode_timestamp"]

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)

# The fields of google.protobuf.Timestamp.
_SECONDS = 1 << 3 | VARINT
_NANOSECONDS = 2 << 3 | VARINT


class _ExactTime(datetime):
    """A time that remembers the nanoseconds which `datetime` cannot hold, to be sent back as it came."""

    _nanoseconds: int


def decode_timestamp(data: bytes) -> datetime:
    """Return the instant of a serialized `google.protobuf.Timestamp`.

    Raises:
        DecodeError: The bytes are none, or the instant is not in the years 1 to 9999.
    """
    seconds = nanoseconds = 0
    for tag, content in fields(data):
        if tag == _SECONDS:
            seconds = content - 2**64 if content >= 2**63 else content
        elif tag == _NANOSECONDS:
            low = content & 2**32 - 1
            nanoseconds = low - 2**32 if low >= 2**31 else low
    microseconds, rest = divmod(nanoseconds, 1000)
    try:
        value = _EPOCH + timedelta(seconds=seconds, microseconds=microseconds)
    except OverflowError:
        raise DecodeError("a time is not in the years 1 to 9999") from None
    if rest:
        exact = _ExactTime.fromtimestamp(0, timezone.utc).replace(
            value.year, value.month, value.day, value.hour, value.minute, value.second, value.microsecond
        )
        exact._nanoseconds = rest
        return exact
    return value


def encode_timestamp(value: Any) -> bytes:
    """Return an instant as a serialized `google.protobuf.Timestamp`.

    Raises:
        TypeError: The value is no `datetime`.
        ValueError: It has no time zone, so that nobody knows which instant is meant.
    """
    if not isinstance(value, datetime):
        raise TypeError(f"expected datetime, got {type(value).__name__}")
    if value.tzinfo is None:
        raise ValueError("expected a time with a zone, such as datetime.now(timezone.utc)")
    seconds, rest = divmod((value - _EPOCH) // _MICROSECOND, 1_000_000)
    nanoseconds = rest * 1000 + getattr(value, "_nanoseconds", 0)
    encoded = b"\x08" + varint(seconds & 2**64 - 1) if seconds else b""
    return encoded + b"\x10" + varint(nanoseconds) if nanoseconds else encoded
