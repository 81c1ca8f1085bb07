"""One stream of a connection: its state, its windows, what waits to be sent and to be taken."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections import deque

    from mattermost_plugin._grpc.errors import ErrorCode
    from mattermost_plugin._grpc.messages import MessageReader
    from mattermost_plugin._grpc.requests import RequestHead
    from mattermost_plugin._grpc.responses import ResponseHead
    from mattermost_plugin._grpc.status import Status

__all__ = ["Stream", "StreamState"]


class StreamState(enum.Enum):
    """The states of RFC 9113, section 5.1. Nothing is ever pushed, so no stream is reserved."""

    IDLE = "idle"
    OPEN = "open"
    HALF_CLOSED_LOCAL = "half-closed (local)"
    HALF_CLOSED_REMOTE = "half-closed (remote)"
    CLOSED = "closed"


class Stream:
    """One call. The connection changes it; a driver reads it after the connection named it as news.

    Attributes:
        id: the stream identifier.
        local_closed: whether this side has sent its last octet.
        remote_closed: whether the peer has.
        messages: messages that came and were not taken: a deque once there are several; in nearly all calls
            there is only ever one, in a tuple.
        request: server side: the head of the request.
        timeout: server side: the deadline in seconds from the request's arrival; None: none.
        response: client side: the head of the response, None until it comes.
        status: client side: how the call ended, None until it has.
        reset_code: why the stream was reset, by either side; None if it was not.
        refused: client side: the server has certainly not looked at the call, so it may be sent again.
        headers_sent: server side: whether the response has begun.
        silent: server side: the connection answers it itself; it is never news.
        pending_size: octets that wait for a window or the socket.
        wants_room: set by a driver that waits until there is room to send more.
        owner: the driver's own.
    """

    __slots__ = (
        "expected",
        "finish",
        "headers_sent",
        "held",
        "id",
        "local_closed",
        "messages",
        "owner",
        "pending",
        "pending_size",
        "queued",
        "reader",
        "receive_window",
        "refused",
        "remote_closed",
        "request",
        "reset_code",
        "response",
        "send_window",
        "silent",
        "status",
        "timeout",
        "uncredited",
        "wants_room",
    )

    def __init__(self, stream_id: int, send_window: int, receive_window: int) -> None:
        self.id = stream_id
        self.local_closed = False
        self.remote_closed = False
        self.messages: deque[bytes] | tuple[bytes, ...] = ()
        self.request: RequestHead | None = None
        self.timeout: float | None = None
        self.response: ResponseHead | None = None
        self.status: Status | None = None
        self.reset_code: ErrorCode | None = None
        self.refused = False
        self.headers_sent = False
        self.silent = False
        self.owner: Any = None
        # Sending: pieces of DATA payload, and what ends the stream after them: a header block, or b"" for
        # END_STREAM on the last DATA frame.
        self.send_window = send_window
        self.pending: deque[bytes | memoryview] | None = None
        self.pending_size = 0
        self.finish: bytes | None = None
        self.queued = False
        self.wants_room = False
        # Receiving: octets the peer may still send, octets of messages not taken, octets taken and not
        # granted anew.
        self.receive_window = receive_window
        self.held = 0
        self.uncredited = 0
        self.reader: MessageReader | None = None
        self.expected: int | None = None

    @property
    def state(self) -> StreamState:
        """The stream's state as this side sees it."""
        if self.local_closed:
            return StreamState.CLOSED if self.remote_closed else StreamState.HALF_CLOSED_LOCAL
        return StreamState.HALF_CLOSED_REMOTE if self.remote_closed else StreamState.OPEN

    @property
    def closed(self) -> bool:
        """Whether nothing more can be sent or received on the stream."""
        return self.local_closed and self.remote_closed

    @property
    def answered(self) -> bool:
        """Server side: whether the whole answer has been given, though it may wait to be sent."""
        return self.local_closed or self.finish is not None

    def __repr__(self) -> str:
        return f"<Stream {self.id} {self.state.value}>"
