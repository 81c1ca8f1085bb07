"""What can go wrong on an HTTP/2 connection, as RFC 9113 names it.

::

    HTTP2Error
    ├── ConnectionFault     a connection error (section 5.4.1): GOAWAY, then the connection ends
    └── StreamFault         a stream error (section 5.4.2): RST_STREAM, the connection lives on

Neither leaves the endpoint: a caller sees `RpcError`, a handler sees its call cancelled.
"""

from __future__ import annotations

import enum

__all__ = ["ConnectionFault", "ErrorCode", "HTTP2Error", "StreamFault"]


class ErrorCode(enum.IntEnum):
    """The error codes of RFC 9113, section 7."""

    NO_ERROR = 0x0
    PROTOCOL_ERROR = 0x1
    INTERNAL_ERROR = 0x2
    FLOW_CONTROL_ERROR = 0x3
    SETTINGS_TIMEOUT = 0x4
    STREAM_CLOSED = 0x5
    FRAME_SIZE_ERROR = 0x6
    REFUSED_STREAM = 0x7
    CANCEL = 0x8
    COMPRESSION_ERROR = 0x9
    CONNECT_ERROR = 0xA
    ENHANCE_YOUR_CALM = 0xB
    INADEQUATE_SECURITY = 0xC
    HTTP_1_1_REQUIRED = 0xD

    @classmethod
    def of(cls, number: int) -> ErrorCode:
        """Return the code for a number from the wire; unknown ones count as INTERNAL_ERROR."""
        return cls(number) if 0 <= number <= cls.HTTP_1_1_REQUIRED else cls.INTERNAL_ERROR


class HTTP2Error(Exception):
    """The peer broke a rule of HTTP/2.

    Attributes:
        code: the error code to send.
        reason: what the peer did.
    """

    def __init__(self, code: ErrorCode, reason: str) -> None:
        super().__init__(f"{code.name}: {reason}")
        self.code = code
        self.reason = reason


class ConnectionFault(HTTP2Error):
    """A connection error: the connection cannot be used further."""


class StreamFault(HTTP2Error):
    """A stream error: only one stream is affected.

    Attributes:
        stream_id: the stream to reset.
    """

    def __init__(self, stream_id: int, code: ErrorCode, reason: str) -> None:
        super().__init__(code, reason)
        self.stream_id = stream_id
