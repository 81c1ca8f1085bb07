"""The head of a request, as a server sees it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mattermost_plugin._grpc.metadata import MetadataItems, decode_metadata

if TYPE_CHECKING:
    from typing import Final

    from mattermost_plugin._grpc.header_blocks import HeaderList

__all__ = ["RequestHead", "is_grpc_content_type", "malformed_field"]

_NAME: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9a-z]+")
_VALUE_NOT_ALLOWED: Final = re.compile(rb"[\x00\r\n]|\A[ \t]|[ \t]\Z")
_CONNECTION_SPECIFIC: Final = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade")
)
_PSEUDO: Final = frozenset((b":method", b":scheme", b":path", b":authority"))
_ENCODINGS: Final = (b"identity", b"gzip")
_REQUIRED: Final = (b":method", b":scheme", b":path")


def malformed_field(name: bytes, value: bytes) -> str | None:
    """Return what makes a regular field malformed (RFC 9113, section 8.2), None if nothing does."""
    if not _NAME.fullmatch(name):
        return f"the field name {name!r} is not allowed"
    if name in _CONNECTION_SPECIFIC or (name == b"te" and value != b"trailers"):
        return f"the field {name.decode()} is specific to a connection"
    if _VALUE_NOT_ALLOWED.search(value):
        return f"the value of {name.decode()} is not allowed"
    return None


def is_grpc_content_type(value: bytes) -> bool:
    """Return whether a content type is application/grpc, with any format or parameter."""
    return value[:16] == b"application/grpc" and value[16:17] in (b"", b"+", b";")


class RequestHead:
    """A request's header list, taken apart once and shared by all requests with the same header block.

    Attributes:
        malformed: what breaks HTTP/2 in it; None if nothing does.
        refusal: HTTP status and text to answer with, if this is HTTP but not gRPC.
        path: "/package.Service/Method".
        authority: `:authority`, or `host`.
        encoding: how messages are compressed.
        accepts_gzip: whether replies may be.
        content_length: octets that the DATA frames must add up to, if announced.
        size: octets as RFC 9113, section 6.5.2 counts them.
        metadata: custom metadata, the user agent among it.
        trailers: whether this has no pseudo-header fields, as trailers have none.
        ordinary: whether a call can begin without further checks.
    """

    __slots__ = (
        "accepts_gzip",
        "authority",
        "content_length",
        "encoding",
        "malformed",
        "metadata",
        "ordinary",
        "path",
        "refusal",
        "size",
        "trailers",
    )

    def __init__(self, fields: HeaderList) -> None:
        self.size = sum(len(name) + len(value) + 32 for name, value in fields)
        self.trailers = not any(name[:1] == b":" for name, _ in fields)
        values: dict[bytes, bytes] = {}
        self.malformed = self._check(fields, values)
        self.refusal: tuple[int, str] | None = None
        self.path = values.get(b":path", b"").decode("ascii", "replace")
        self.authority = (values.get(b":authority") or values.get(b"host", b"")).decode("ascii", "replace")
        self.encoding = values.get(b"grpc-encoding", b"identity")
        accepted = values.get(b"grpc-accept-encoding", b"")
        self.accepts_gzip = b"gzip" in accepted and b"gzip" in [item.strip() for item in accepted.split(b",")]
        self.content_length: int | None = None
        if self.malformed is None and not self.trailers:
            self._check_grpc(values)
        self.metadata: MetadataItems = () if self.malformed else decode_metadata(fields)
        self.ordinary = not self._is_unusual()

    def _is_unusual(self) -> bool:
        if self.malformed is not None or self.refusal is not None or self.trailers:
            return True
        return self.content_length is not None or self.encoding not in _ENCODINGS

    def _check(self, fields: HeaderList, values: dict[bytes, bytes]) -> str | None:
        regular = False
        for name, value in fields:
            if name[:1] != b":":
                regular = True
                problem = malformed_field(name, value)
                if problem:
                    return problem
            elif regular:
                return "a pseudo-header field follows a regular one"
            elif name not in _PSEUDO:
                return f"the pseudo-header field {name!r} is not defined for requests"
            elif name in values:
                return f"the pseudo-header field {name.decode()} appears twice"
            values[name] = value
        if not self.trailers and not all(values.get(name) for name in _REQUIRED):
            return ":method, :scheme and :path are required"
        return None

    def _check_grpc(self, values: dict[bytes, bytes]) -> None:
        length = values.get(b"content-length")
        if length is not None:
            if not length.isdigit():
                self.malformed = "content-length is not a number"
                return
            self.content_length = int(length)
        if values.get(b":method") != b"POST":
            self.refusal = (405, "gRPC requests are POST requests")
        elif not is_grpc_content_type(values.get(b"content-type", b"")):
            self.refusal = (415, "the content type of gRPC requests is application/grpc")
