"""What both drivers' clients do the same way: header blocks of calls, and what a response comes to."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from mattermost_plugin._grpc.calls import DEADLINE_EXCEEDED
from mattermost_plugin._grpc.header_blocks import encode_field
from mattermost_plugin._grpc.metadata import encode_metadata
from mattermost_plugin._grpc.status import Metadata, RpcError, Status, StatusCode
from mattermost_plugin._grpc.timeouts import encode_timeout

if TYPE_CHECKING:
    from mattermost_plugin._grpc.header_encoder import RequestTemplate
    from mattermost_plugin._grpc.streams import Stream

__all__ = ["CANCELLED", "CLOSED", "call_headers", "failure", "single_response"]

CANCELLED: Final = Status(StatusCode.CANCELLED, "the call was cancelled by its caller")
CLOSED: Final = "the channel is closed"


def call_headers(
    template: RequestTemplate, timeout: float | None, metadata: Metadata
) -> tuple[RequestTemplate, bytes]:
    """Return what the headers of one call are made of: a template, and further fields.

    Args:
        template: what all calls of the method share.
        timeout: seconds; None: the call has no deadline.
        metadata: custom metadata.

    Raises:
        ValueError, TypeError: metadata that gRPC does not allow.
    """
    extra = encode_metadata(metadata) if metadata else b""
    if timeout is None:
        return template, extra
    timed = template.with_timeout(timeout)
    if timed is None:
        return template, encode_field(b"grpc-timeout", encode_timeout(timeout)) + extra
    return timed, extra


def failure(stream: Stream, deadline: float | None) -> RpcError:
    """Return the error for a call that ended with a status other than OK.

    A server that gives a call up because its deadline has passed resets the stream with CANCEL, which may
    come before this side's own timer.
    """
    status = stream.status or CANCELLED
    if status.code is StatusCode.CANCELLED and deadline is not None and time.monotonic() >= deadline:
        status = DEADLINE_EXCEEDED
    initial = () if stream.response is None else stream.response.metadata
    return RpcError(status.code, status.message, status.details, initial, status.metadata)


def single_response(stream: Stream, deadline: float | None) -> bytes:
    """Return the one message of a call that has ended.

    Raises:
        RpcError: it ended with a status other than OK, or with another number of messages.
    """
    status = stream.status
    if status is None or status.code is not StatusCode.OK:
        raise failure(stream, deadline)
    if len(stream.messages) != 1:
        count = len(stream.messages)
        raise RpcError(StatusCode.UNIMPLEMENTED, f"the server sent {count} messages where one was expected")
    return stream.messages[0]
