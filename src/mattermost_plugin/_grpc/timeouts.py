"""The `grpc-timeout` header."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Final

__all__ = ["decode_timeout", "encode_timeout"]

_SECONDS: Final = {72: 3600.0, 77: 60.0, 83: 1.0, 109: 1e-3, 117: 1e-6, 110: 1e-9}  # H M S m u n
_MAX_VALUE: Final = 99_999_999


@functools.lru_cache(maxsize=64)  # hosts send the same ones again and again
def decode_timeout(value: bytes) -> float | None:
    """Return a timeout in seconds, None if the value is malformed: at most eight digits and a unit."""
    digits = value[:-1]
    if not 1 <= len(digits) <= 8 or not digits.isdigit():
        return None
    unit = _SECONDS.get(value[-1])
    return None if unit is None else int(digits) * unit


def encode_timeout(seconds: float) -> bytes:
    """Return the value for a timeout in seconds: the finest unit that eight digits hold, rounded up."""
    if seconds <= 0:
        return b"0n"
    for unit, scale in ((b"u", 1_000_000), (b"m", 1_000), (b"S", 1)):
        amount = -int(-seconds * scale // 1)
        if amount <= _MAX_VALUE:
            return b"%d%s" % (amount, unit)
    return b"%d%s" % (min(-int(-seconds / 3600 // 1), _MAX_VALUE), b"H")
