"""The heads and trailers of responses, as a client sees them and a server sends them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mattermost_plugin._grpc.header_blocks import encode_block, encode_field
from mattermost_plugin._grpc.metadata import (
    MetadataItems,
    decode_base64,
    decode_metadata,
    encode_binary,
    encode_metadata,
)
from mattermost_plugin._grpc.requests import is_grpc_content_type, malformed_field
from mattermost_plugin._grpc.status import (
    Metadata,
    Status,
    StatusCode,
    code_from_http_status,
    code_from_wire,
    decode_message,
    encode_message,
)

if TYPE_CHECKING:
    from typing import Final

    from mattermost_plugin._grpc.header_blocks import HeaderList

__all__ = [
    "GZIP_RESPONSE_HEAD",
    "OK_TRAILERS",
    "RESPONSE_HEAD",
    "ResponseHead",
    "http_response_head",
    "initial_block",
    "status_fields",
]

#: The header block of nearly every response.
RESPONSE_HEAD: Final = encode_block([(b":status", b"200"), (b"content-type", b"application/grpc")])
#: The same for compressed messages.
GZIP_RESPONSE_HEAD: Final = RESPONSE_HEAD + encode_field(b"grpc-encoding", b"gzip")
#: The trailers of nearly every response.
OK_TRAILERS: Final = encode_block([(b"grpc-status", b"0")])


def status_fields(status: Status) -> bytes:
    """Return the header fields that carry a status and its metadata."""
    block = encode_field(b"grpc-status", b"%d" % status.code)
    if status.message:
        block += encode_field(b"grpc-message", encode_message(status.message))
    if status.details:
        block += encode_binary(b"grpc-status-details-bin", status.details)
    return block + encode_metadata(status.metadata)


def http_response_head(status: int, length: int) -> bytes:
    """Return the header block of an answer in text, for what is not gRPC."""
    fields = [
        (b":status", b"%d" % status),
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"%d" % length),
    ]
    return encode_block(fields)


class ResponseHead:
    """A response's header list or trailers, taken apart once per header block.

    Attributes:
        malformed: what breaks HTTP/2 in it; None if nothing does.
        http_status: `:status`; None in trailers.
        is_grpc: whether the content type is gRPC's.
        encoding: how messages are compressed.
        status: `grpc-status` and what belongs to it; None if it is not there.
        metadata: custom metadata.
        size: octets as RFC 9113, section 6.5.2 counts them.
        ordinary: whether this begins a gRPC response that needs no further checks.
    """

    __slots__ = ("encoding", "http_status", "is_grpc", "malformed", "metadata", "ordinary", "size", "status")

    def __init__(self, fields: HeaderList) -> None:
        self.size = sum(len(name) + len(value) + 32 for name, value in fields)
        values: dict[bytes, bytes] = {}
        self.malformed = self._check(fields, values)
        self.http_status = values.get(b":status")
        self.is_grpc = is_grpc_content_type(values.get(b"content-type", b""))
        self.encoding = values.get(b"grpc-encoding", b"identity")
        self.metadata: MetadataItems = () if self.malformed else decode_metadata(fields)
        self.ordinary = self.malformed is None and self.http_status == b"200" and self.is_grpc
        self.status: Status | None = None
        code = values.get(b"grpc-status")
        if code is not None:
            details = decode_base64(values.get(b"grpc-status-details-bin", b"")) or b""
            message = decode_message(values.get(b"grpc-message", b""))
            self.status = Status(code_from_wire(code), message, details, self.metadata)

    @staticmethod
    def _check(fields: HeaderList, values: dict[bytes, bytes]) -> str | None:
        regular = False
        for name, value in fields:
            if name[:1] != b":":
                regular = True
                problem = malformed_field(name, value)
                if problem:
                    return problem
            elif regular or name != b":status" or name in values:
                return f"the pseudo-header field {name!r} is not allowed here"
            values[name] = value
        return None

    @property
    def informational(self) -> bool:
        """Whether this is an interim response (1xx), to be skipped."""
        return self.http_status is not None and self.http_status[:1] == b"1"

    def refusal(self) -> Status | None:
        """Return the status of a response that is not gRPC, None if it is."""
        if self.http_status == b"200" and self.is_grpc:
            return None
        status = (self.http_status or b"no status").decode("ascii", "replace")
        if self.http_status == b"200":
            return Status(
                StatusCode.UNKNOWN, "the response is not gRPC: its content type is not application/grpc"
            )
        return Status(
            code_from_http_status(self.http_status or b""), f"the server answered with HTTP status {status}"
        )


def initial_block(metadata: Metadata, *, gzip: bool) -> bytes:
    """Return the header block of a response with custom metadata."""
    return (GZIP_RESPONSE_HEAD if gzip else RESPONSE_HEAD) + (encode_metadata(metadata) if metadata else b"")
