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
    from mattermost_plugin._grpc.streams import Stream

__all__ = ["CANCELLED", "CLOSED", "call_block", "failure", "single_response"]

CANCELLED: Final = Status(StatusCode.CANCELLED, "the call was cancelled by its caller")
CLOSED: Final = "the channel is closed"


def call_block(block: bytes, timeout: float | None, metadata: Metadata) -> bytes:
    """Return the header block of one call.

    Args:
        block: what all calls of the method share.
        timeout: seconds; None: the call has no deadline.
        metadata: custom metadata.

    Raises:
        ValueError, TypeError: metadata that gRPC does not allow.
    """
    if timeout is not None:
        block += encode_field(b"grpc-timeout", encode_timeout(timeout))
    return block + encode_metadata(metadata) if metadata else block


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
