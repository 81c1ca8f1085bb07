"""gRPC status codes, how they travel, and what other failures map to."""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from mattermost_plugin._forks import FORKED
from mattermost_plugin._grpc.errors import ErrorCode

if TYPE_CHECKING:
    from typing import Final

__all__ = [
    "ForkedError",
    "Metadata",
    "RpcError",
    "Status",
    "StatusCode",
    "code_from_error_code",
    "code_from_http_status",
    "code_from_wire",
    "decode_message",
    "encode_message",
]

#: What callers pass: pairs of a lower-case key and its value, bytes for keys that end in "-bin".
Metadata = Sequence[tuple[str, "str | bytes"]]


class StatusCode(enum.IntEnum):
    """The 17 status codes of gRPC."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class Status(NamedTuple):
    """How a call ended."""

    code: StatusCode
    message: str = ""
    details: bytes = b""
    metadata: tuple[tuple[str, str | bytes], ...] = ()


class RpcError(Exception):
    """A call ended with a status other than OK.

    Attributes:
        code: the status code.
        message: the status message.
        details: `grpc-status-details-bin`, a serialized `google.rpc.Status`; empty if there was none.
        initial_metadata: metadata sent before the first message.
        trailing_metadata: metadata sent with the status.
    """

    def __init__(
        self,
        code: StatusCode,
        message: str = "",
        details: bytes = b"",
        initial_metadata: Metadata = (),
        trailing_metadata: Metadata = (),
    ) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.details = details
        self.initial_metadata = initial_metadata
        self.trailing_metadata = trailing_metadata

    def __str__(self) -> str:
        return f"{self.code.name}: {self.message}" if self.message else self.code.name


class ForkedError(RpcError):
    """A call was made in a process that was forked from the one that has the connection."""

    def __init__(self) -> None:
        super().__init__(StatusCode.FAILED_PRECONDITION, FORKED)


_BY_TEXT: Final = {str(code.value).encode(): code for code in StatusCode}


def code_from_wire(value: bytes) -> StatusCode:
    """Return the code that a `grpc-status` value names; UNKNOWN for one that gRPC does not define."""
    return _BY_TEXT.get(value, StatusCode.UNKNOWN)


_FROM_ERROR_CODE: Final = {
    ErrorCode.REFUSED_STREAM: StatusCode.UNAVAILABLE,
    ErrorCode.CANCEL: StatusCode.CANCELLED,
    ErrorCode.ENHANCE_YOUR_CALM: StatusCode.RESOURCE_EXHAUSTED,
    ErrorCode.INADEQUATE_SECURITY: StatusCode.PERMISSION_DENIED,
}


def code_from_error_code(code: ErrorCode) -> StatusCode:
    """Return the status of a call whose stream was reset with `code` (gRPC over HTTP/2, "Errors")."""
    return _FROM_ERROR_CODE.get(code, StatusCode.INTERNAL)


_FROM_HTTP_STATUS: Final = {
    b"400": StatusCode.INTERNAL,
    b"401": StatusCode.UNAUTHENTICATED,
    b"403": StatusCode.PERMISSION_DENIED,
    b"404": StatusCode.UNIMPLEMENTED,
    b"429": StatusCode.UNAVAILABLE,
    b"502": StatusCode.UNAVAILABLE,
    b"503": StatusCode.UNAVAILABLE,
    b"504": StatusCode.UNAVAILABLE,
}


def code_from_http_status(status: bytes) -> StatusCode:
    """Return the status of a call answered by something that does not speak gRPC."""
    return _FROM_HTTP_STATUS.get(status, StatusCode.UNKNOWN)


_PLAIN: Final = re.compile(r"[ -$&-~]*")
_ESCAPE: Final = re.compile(rb"%([0-9A-Fa-f]{2})")


def encode_message(message: str) -> bytes:
    """Percent-encode a status message for `grpc-message`."""
    if _PLAIN.fullmatch(message):
        return message.encode("ascii")
    raw = message.encode("utf-8", "replace")
    return b"".join(
        b"%c" % byte if 0x20 <= byte <= 0x7E and byte != 0x25 else b"%%%02X" % byte for byte in raw
    )


def decode_message(value: bytes) -> str:
    """Decode `grpc-message`; what is not valid percent-encoding or UTF-8 is kept as far as it can be."""
    if b"%" in value:
        value = _ESCAPE.sub(lambda match: bytes((int(match[1], 16),)), value)
    return value.decode("utf-8", "replace")
