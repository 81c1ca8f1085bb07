"""The frames of RFC 9113, section 6: numbers, and bytes for those that are sent."""

from __future__ import annotations

import enum
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Final

    from mattermost_plugin._grpc.errors import ErrorCode

__all__ = [
    "ACK",
    "DEFAULT_MAX_FRAME_SIZE",
    "DEFAULT_WINDOW",
    "END_HEADERS",
    "END_STREAM",
    "FRAME_HEADER",
    "FRAME_HEADER_SIZE",
    "MAX_FRAME_SIZE",
    "MAX_WINDOW",
    "PADDED",
    "PREFACE",
    "PRIORITY",
    "FrameType",
    "Setting",
    "frame_header",
    "goaway",
    "header_frames",
    "ping",
    "rst_stream",
    "settings",
    "settings_ack",
    "window_update",
]

PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

#: Length (in two parts: 16 and 8 bits), type, flags, stream identifier with its reserved bit.
FRAME_HEADER: Final = struct.Struct(">HBBBL")
FRAME_HEADER_SIZE: Final = 9

DEFAULT_MAX_FRAME_SIZE: Final = 1 << 14
MAX_FRAME_SIZE: Final = (1 << 24) - 1
DEFAULT_WINDOW: Final = (1 << 16) - 1
MAX_WINDOW: Final = (1 << 31) - 1


class FrameType(enum.IntEnum):
    """Frame types; any other type is ignored."""

    DATA = 0x0
    HEADERS = 0x1
    PRIORITY = 0x2
    RST_STREAM = 0x3
    SETTINGS = 0x4
    PUSH_PROMISE = 0x5
    PING = 0x6
    GOAWAY = 0x7
    WINDOW_UPDATE = 0x8
    CONTINUATION = 0x9


END_STREAM: Final = 0x1
ACK: Final = 0x1
END_HEADERS: Final = 0x4
PADDED: Final = 0x8
PRIORITY: Final = 0x20


class Setting(enum.IntEnum):
    """Settings; any other one is ignored."""

    HEADER_TABLE_SIZE = 0x1
    ENABLE_PUSH = 0x2
    MAX_CONCURRENT_STREAMS = 0x3
    INITIAL_WINDOW_SIZE = 0x4
    MAX_FRAME_SIZE = 0x5
    MAX_HEADER_LIST_SIZE = 0x6


def frame_header(length: int, frame_type: int, flags: int, stream_id: int) -> bytes:
    """Return the nine octets before a payload of `length` octets."""
    return FRAME_HEADER.pack(length >> 8, length & 0xFF, frame_type, flags, stream_id)


def settings(values: Mapping[Setting, int]) -> bytes:
    """Return a SETTINGS frame."""
    payload = b"".join(struct.pack(">HL", key, value) for key, value in values.items())
    return frame_header(len(payload), FrameType.SETTINGS, 0, 0) + payload


def settings_ack() -> bytes:
    """Return a SETTINGS frame that acknowledges the peer's."""
    return frame_header(0, FrameType.SETTINGS, ACK, 0)


def ping(opaque: bytes, *, ack: bool = False) -> bytes:
    """Return a PING frame with eight octets of opaque data."""
    return frame_header(8, FrameType.PING, ACK if ack else 0, 0) + opaque


def rst_stream(stream_id: int, code: ErrorCode) -> bytes:
    """Return a RST_STREAM frame."""
    return frame_header(4, FrameType.RST_STREAM, 0, stream_id) + struct.pack(">L", code)


def goaway(last_stream_id: int, code: ErrorCode, debug: bytes = b"") -> bytes:
    """Return a GOAWAY frame."""
    payload = struct.pack(">LL", last_stream_id, code) + debug
    return frame_header(len(payload), FrameType.GOAWAY, 0, 0) + payload


def window_update(stream_id: int, increment: int) -> bytes:
    """Return a WINDOW_UPDATE frame."""
    return frame_header(4, FrameType.WINDOW_UPDATE, 0, stream_id) + struct.pack(">L", increment)


def header_frames(stream_id: int, block: bytes, max_frame_size: int, *, end_stream: bool) -> Iterable[bytes]:
    """Yield a HEADERS frame, followed by CONTINUATION frames if the block does not fit into one."""
    flags = END_STREAM if end_stream else 0
    if len(block) <= max_frame_size:
        yield frame_header(len(block), FrameType.HEADERS, flags | END_HEADERS, stream_id)
        yield block
        return
    frame_type = FrameType.HEADERS
    for start in range(0, len(block), max_frame_size):
        part = block[start : start + max_frame_size]
        if start + max_frame_size >= len(block):
            flags |= END_HEADERS
        yield frame_header(len(part), frame_type, flags, stream_id)
        yield part
        frame_type, flags = FrameType.CONTINUATION, 0
