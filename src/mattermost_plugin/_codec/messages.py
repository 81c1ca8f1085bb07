"""Whole messages from and to bytes, by their plans."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from mattermost_plugin._codec.problems import BadValue
from mattermost_plugin._codec.wire import DecodeError, too_deep

if TYPE_CHECKING:
    from mattermost_plugin._codec.plans import Plan

__all__ = ["decode_message", "encode_message"]


def decode_message(plan: Plan, raw: bytes) -> Any:
    """Return what a serialized message holds.

    Raises:
        DecodeError: It is malformed.
    """
    if raw.__class__ is not bytes:
        raw = bytes(raw)
    try:
        return plan.decode(raw, 0, len(raw), 0)
    except (IndexError, struct.error):
        raise DecodeError("a message is cut short") from None
    except UnicodeDecodeError as error:
        raise DecodeError(f"a text is not valid UTF-8 ({error.reason})") from None
    except RecursionError:
        raise too_deep() from None


def encode_message(plan: Plan, value: Any) -> bytes:
    """Return a message as bytes.

    Raises:
        TypeError: Something is of another type than its field.
        ValueError: Something does not fit.
    """
    out: list[bytes] = []
    try:
        plan.encode(value, out)
    except RecursionError:
        raise BadValue(f"{plan.place}a value contains itself, or is nested too deeply") from None
    return b"".join(out)
