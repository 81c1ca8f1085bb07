"""The client side of a connection: requests out, responses in."""

from __future__ import annotations

import struct
import time
from typing import TYPE_CHECKING, ClassVar, Final

from mattermost_plugin._grpc import compression, frames
from mattermost_plugin._grpc.connection import Connection, ConnectionState
from mattermost_plugin._grpc.errors import ConnectionFault, ErrorCode, StreamFault
from mattermost_plugin._grpc.frames import MAX_WINDOW, Setting
from mattermost_plugin._grpc.header_encoder import HeaderEncoder, RequestTemplate
from mattermost_plugin._grpc.messages import PREFIX_SIZE, MessageReader
from mattermost_plugin._grpc.responses import ResponseHead
from mattermost_plugin._grpc.status import RpcError, Status, StatusCode, code_from_error_code
from mattermost_plugin._grpc.streams import Stream
from mattermost_plugin._grpc.unary_frames import pack_request, unpack_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from mattermost_plugin._grpc.options import Options

__all__ = ["ClientConnection", "request_template"]

#: The head of HEADERS; and the head of DATA with END_STREAM together with that of its message.
_DATA_AND_MESSAGE: Final = struct.Struct(">HBBBLBL")
#: Further fields of a request that go the short way; with the template's they fit into any frame.
_MAX_QUICK_FIELDS: Final = 8192
_MAX_PATH: Final = 4096
_LOST: Final = Status(StatusCode.UNAVAILABLE, "the connection was lost")


def request_template(path: str, authority: str, options: Options, *, tls: bool) -> RequestTemplate:
    """Return the header fields that all calls of a method share."""
    if len(path) > _MAX_PATH:
        raise ValueError(f"the path of a method cannot be longer than {_MAX_PATH} octets")
    fields = [
        (b":method", b"POST"),
        (b":scheme", b"https" if tls else b"http"),
        (b":path", path.encode("ascii")),
        (b":authority", authority.encode("ascii", "replace")),
        (b"te", b"trailers"),
        (b"content-type", b"application/grpc"),
        (b"user-agent", options.user_agent.encode("ascii", "replace")),
        (b"grpc-accept-encoding", compression.ACCEPTED),
    ]
    if options.compression is not None:
        fields.append((b"grpc-encoding", options.compression.encode("ascii")))
    return RequestTemplate(tuple(fields))


class ClientConnection(Connection[ResponseHead]):
    """Makes calls. A stream is news whenever more of its response has come; at its end it has a status."""

    client_side: ClassVar[bool] = True

    def __init__(self, options: Options, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(options, ResponseHead, clock)
        self._next_stream = 1
        self._encoder = HeaderEncoder()
        self._gzip = options.compression == "gzip"
        self._stream_window = max(options.stream_window, frames.DEFAULT_WINDOW)
        # A frame that may be taken in at once: within the first window and the limits.
        self._quick_size = min(
            options.stream_window, options.max_receive_message_size + PREFIX_SIZE, options.max_frame_size
        )

    # ---- what drivers use

    @property
    def can_open(self) -> bool:
        """Whether the server takes another call on this connection now."""
        limit = self._peer_max_streams
        return self.usable and (limit is None or len(self.streams) < limit)

    @property
    def usable(self) -> bool:
        """Whether the connection will ever take another call."""
        return self.state is ConnectionState.OPEN and self._next_stream <= MAX_WINDOW

    def request(self, template: RequestTemplate, message: bytes, extra: bytes = b"") -> Stream:
        """Begin a call with its only message.

        Args:
            template: the fields that it has in common with others.
            message: the message.
            extra: further fields, encoded.

        Raises:
            RpcError: RESOURCE_EXHAUSTED if the message is larger than allowed; nothing was sent then.
        """
        size = len(message) + PREFIX_SIZE
        if (
            self._gzip
            or size > self._peer_max_frame
            or size > self._peer_window
            or size > self.send_window
            or size > self.options.max_send_message_size
            or len(extra) > _MAX_QUICK_FIELDS
        ):
            self.check_size(message)
            stream = self.open(template, extra)
            self.send_request(stream, message)
            self.half_close(stream)
            return stream
        block = self._encoder.encode(template) + extra
        stream_id = self._next_stream
        self._next_stream = stream_id + 2
        stream = Stream(stream_id, self._peer_window, self._stream_window)
        stream.local_closed = True
        self.streams[stream_id] = stream
        self.send_window -= size
        self._out.append(pack_request(stream_id, block, message))
        return stream

    def open(self, template: RequestTemplate, extra: bytes = b"") -> Stream:
        """Begin a call whose messages follow."""
        block = self._encoder.encode(template) + extra
        stream = Stream(self._next_stream, self._peer_window, self._stream_window)
        self._next_stream += 2
        self.streams[stream.id] = stream
        self.send_headers(stream.id, block, end_stream=False)
        return stream

    def send_request(self, stream: Stream, message: bytes) -> None:
        """Queue one message of the request; `has_room` says whether to wait before the next.

        Raises:
            RpcError: RESOURCE_EXHAUSTED if it is larger than allowed.
        """
        if not stream.local_closed:
            self.send_message(stream, message, gzip=self._gzip)

    def half_close(self, stream: Stream) -> None:
        """End the request after what is queued."""
        if not stream.local_closed and stream.finish is None:
            self.end_stream(stream, b"")

    def cancel(self, stream: Stream, status: Status) -> None:
        """End a call from this side with a status of its own."""
        if stream.status is None:
            stream.status = status
        self.reset(stream, ErrorCode.CANCEL)

    # ---- frames

    def _send_preface(self) -> None:
        settings = self._settings()
        settings[Setting.ENABLE_PUSH] = 0
        self._out.append(
            frames.PREFACE
            + frames.settings(settings)
            + frames.window_update(0, MAX_WINDOW - frames.DEFAULT_WINDOW)
        )

    def _read_preface(self, _data: bytes) -> int:
        return 0

    def _set_header_table_size(self, size: int) -> None:
        self._encoder.limit_table(size)

    def _is_idle(self, stream_id: int) -> bool:
        return stream_id >= self._next_stream or stream_id & 1 == 0

    def _quick(self, data: bytes, position: int, news: list[Stream]) -> int:
        found = unpack_response(data, position, self._quick_size)
        if found is None:
            return 0
        stream_id, block, message, trailers, end = found
        stream = self.streams.get(stream_id)
        known = self._decoder.remembered
        head = known.get(block)
        last = known.get(trailers)
        # Only blocks that were met before, so that nothing need be undone: all checks of them were made then.
        if stream is None or head is None or last is None or not head.ordinary or last.status is None:
            return 0
        if (
            stream.response is not None
            or stream.remote_closed
            or last.malformed
            or last.http_status is not None
        ):
            return 0
        if max(head.size, last.size) > self.options.max_header_list_size:
            return 0
        self._take_from_window(len(message) + PREFIX_SIZE)
        stream.response = head
        stream.messages = (message,)
        stream.status = last.status
        self._remote_end(stream)
        news.append(stream)
        return end

    def _on_header_block(
        self, stream_id: int, head: ResponseHead, timeout: bytes | None, end_stream: bool, news: list[Stream]
    ) -> None:
        stream = self.streams.get(stream_id)
        if stream is None:
            if self._is_idle(stream_id):
                raise ConnectionFault(
                    ErrorCode.PROTOCOL_ERROR, f"HEADERS on stream {stream_id}, which is idle"
                )
            if stream_id not in self._reset_here:
                raise ConnectionFault(
                    ErrorCode.STREAM_CLOSED, f"HEADERS on stream {stream_id}, which is closed"
                )
            return
        news.append(stream)
        if stream.remote_closed:
            raise StreamFault(stream_id, ErrorCode.STREAM_CLOSED, "HEADERS after END_STREAM")
        if head.malformed or (head.http_status is None) != (stream.response is not None):
            reason = head.malformed or "the response's HEADERS come without :status, or twice"
            raise StreamFault(stream_id, ErrorCode.PROTOCOL_ERROR, reason)
        if head.size > self.options.max_header_list_size:
            self.cancel(
                stream,
                Status(StatusCode.RESOURCE_EXHAUSTED, "the response's metadata is larger than allowed"),
            )
        elif stream.response is not None:
            self._on_trailers(stream, head, end_stream=end_stream)
        elif head.informational:
            if end_stream:
                raise StreamFault(stream_id, ErrorCode.PROTOCOL_ERROR, "an interim response ends the stream")
        else:
            self._on_response(stream, head, end_stream=end_stream)

    def _on_response(self, stream: Stream, head: ResponseHead, *, end_stream: bool) -> None:
        stream.response = head
        refusal = head.refusal()
        if end_stream:
            stream.status = (
                head.status or refusal or Status(StatusCode.INTERNAL, "the response ended without a status")
            )
            self._remote_end(stream)
        elif refusal is not None:
            self.cancel(stream, refusal)

    def _on_trailers(self, stream: Stream, head: ResponseHead, *, end_stream: bool) -> None:
        if not end_stream:
            raise StreamFault(stream.id, ErrorCode.PROTOCOL_ERROR, "trailers without END_STREAM")
        stream.status = head.status or Status(StatusCode.INTERNAL, "the response ended without a status")
        self._remote_end(stream)

    def _new_reader(self, stream: Stream) -> MessageReader | None:
        if stream.response is None:
            raise StreamFault(stream.id, ErrorCode.PROTOCOL_ERROR, "DATA before HEADERS")
        return MessageReader(self.options.max_receive_message_size, stream.response.encoding)

    def _on_message_fault(self, stream: Stream, error: RpcError) -> None:
        self.cancel(stream, Status(error.code, error.message))

    def _on_remote_end(self, stream: Stream) -> None:
        if stream.status is None:
            stream.status = Status(StatusCode.INTERNAL, "the response ended without a status")
        elif stream.status.code is StatusCode.OK and stream.reader is not None and stream.reader.incomplete:
            stream.status = Status(StatusCode.INTERNAL, "the response ended within a message")
        if not stream.local_closed:
            # The server wants no more of the request.
            self.reset(stream, ErrorCode.NO_ERROR)

    def _on_local_end(self, stream: Stream) -> None:
        if stream.remote_closed:
            self.streams.pop(stream.id, None)

    def _drop(self, stream: Stream, code: ErrorCode) -> None:
        if stream.status is None:
            stream.status = Status(code_from_error_code(code), f"the stream was reset with {code.name}")
        super()._drop(stream, code)

    def _on_reset_by_peer(self, stream: Stream, code: ErrorCode) -> None:
        stream.refused = code is ErrorCode.REFUSED_STREAM
        if stream.status is None:
            text = f"the server reset the stream with {code.name}"
            stream.status = Status(code_from_error_code(code), text)

    def _on_lost(self, stream: Stream) -> None:
        if stream.status is None:
            stream.status = Status(StatusCode.INTERNAL, str(self.fault)) if self.fault is not None else _LOST

    def _on_goaway_received(self, news: list[Stream]) -> None:
        if self.goaway is None:
            return
        last, code, debug = self.goaway
        for stream in [stream for stream in self.streams.values() if stream.id > last]:
            stream.refused = True
            text = debug.decode("utf-8", "replace") or code.name
            stream.status = Status(StatusCode.UNAVAILABLE, f"the server is going away: {text}")
            self._drop(stream, ErrorCode.REFUSED_STREAM)
            news.append(stream)
