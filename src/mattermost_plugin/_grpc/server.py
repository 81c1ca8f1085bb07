"""The server side of a connection: requests in, replies out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, ClassVar, Final

from mattermost_plugin._grpc import frames, responses
from mattermost_plugin._grpc.connection import Connection, ConnectionState
from mattermost_plugin._grpc.errors import ConnectionFault, ErrorCode, StreamFault
from mattermost_plugin._grpc.frames import FRAME_HEADER_SIZE, MAX_WINDOW, Setting
from mattermost_plugin._grpc.messages import PREFIX_SIZE, MessageReader
from mattermost_plugin._grpc.requests import RequestHead
from mattermost_plugin._grpc.responses import OK_TRAILERS, RESPONSE_HEAD
from mattermost_plugin._grpc.status import Metadata, RpcError, Status, StatusCode
from mattermost_plugin._grpc.streams import Stream
from mattermost_plugin._grpc.timeouts import decode_timeout
from mattermost_plugin._grpc.unary_frames import pack_response, unpack_request

if TYPE_CHECKING:
    from collections.abc import Callable

    from mattermost_plugin._grpc.options import Options

__all__ = ["ServerConnection"]

_SHUTDOWN_PING: Final = b"shutdown"
_OK: Final = Status(StatusCode.OK)
_ENCODINGS: Final = (b"identity", b"gzip")


class ServerConnection(Connection[RequestHead]):
    """Accepts calls. A stream becomes news when its head has come, and whenever more of it comes or it ends.

    A small unary call becomes news once, whole. `reply`, or `send_initial_metadata`, `send_message` and
    `finish` answer it.
    """

    client_side: ClassVar[bool] = False

    def __init__(self, options: Options, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(options, RequestHead, clock)
        self._draining = False
        self._preface_read = False
        self._prefer_gzip = options.compression == "gzip"
        self._max_headers = options.max_header_list_size
        self._stream_window = max(options.stream_window, frames.DEFAULT_WINDOW)
        # A frame that may be taken in at once: within the first window and the limits.
        self._quick_size = min(
            options.stream_window, options.max_receive_message_size + PREFIX_SIZE, options.max_frame_size
        )

    # ---- what drivers use

    def reply(self, stream: Stream, message: bytes) -> None:
        """Answer a call with one message and OK, in one piece if the windows allow it.

        Raises:
            RpcError: RESOURCE_EXHAUSTED if the message is larger than allowed; nothing was sent then.
        """
        size = len(message) + PREFIX_SIZE
        if (
            size > self._peer_max_frame
            or size > stream.send_window
            or size > self.send_window
            or size > self.options.max_send_message_size
            or stream.headers_sent
            or self._prefer_gzip
            or stream.local_closed
        ):
            self._reply_in_pieces(stream, message)
            return
        self.send_window -= size
        stream_id = stream.id
        self._out.append(pack_response(stream_id, RESPONSE_HEAD, message, OK_TRAILERS))
        stream.local_closed = True
        self._flood.tokens += 1
        if stream.remote_closed:
            self.streams.pop(stream_id, None)
        else:
            self._stop_request(stream)

    def send_initial_metadata(self, stream: Stream, metadata: Metadata = ()) -> None:
        """Begin the response.

        Raises:
            ValueError, TypeError: metadata that gRPC does not allow.
        """
        if stream.local_closed or stream.headers_sent:
            return
        block = responses.initial_block(metadata, gzip=self._uses_gzip(stream))
        stream.headers_sent = True
        self.send_headers(stream.id, block, end_stream=False)

    def send_response(self, stream: Stream, message: bytes) -> None:
        """Queue one message of the response; `has_room` says whether to wait before the next.

        Raises:
            RpcError: RESOURCE_EXHAUSTED if the message is larger than allowed.
        """
        if stream.local_closed:
            return
        self.check_size(message)
        self.send_initial_metadata(stream)
        self.send_message(stream, message, gzip=self._uses_gzip(stream))

    def finish(self, stream: Stream, status: Status) -> None:
        """End the response with a status; with nothing else if nothing else was sent.

        Raises:
            ValueError, TypeError: metadata that gRPC does not allow.
        """
        if stream.local_closed or stream.finish is not None:
            return
        block = OK_TRAILERS if status == _OK else responses.status_fields(status)
        if not stream.headers_sent:
            stream.headers_sent = True
            block = RESPONSE_HEAD + block
        self._flood.tokens += 1
        self.end_stream(stream, block)

    def shut_down(self) -> None:
        """Ask the client for no new calls; those on their way are served (RFC 9113, section 6.8)."""
        if self.state is ConnectionState.OPEN:
            self.state = ConnectionState.CLOSING
            self._out.append(frames.goaway(MAX_WINDOW, ErrorCode.NO_ERROR, b"the server is shutting down"))
            self.ping(_SHUTDOWN_PING)

    @property
    def drained(self) -> bool:
        """Whether after `shut_down` no call is left and none can come."""
        return self._draining and not self.streams

    # ---- frames

    def _send_preface(self) -> None:
        settings = self._settings()
        settings[Setting.MAX_CONCURRENT_STREAMS] = self.options.max_concurrent_streams
        self._out.append(frames.settings(settings))
        self._out.append(frames.window_update(0, MAX_WINDOW - frames.DEFAULT_WINDOW))

    def _read_preface(self, data: bytes) -> int:
        preface = frames.PREFACE
        if self._preface_read:
            return 0
        if data[: len(preface)] != preface[: len(data)]:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "the connection preface is not HTTP/2's")
        if len(data) < len(preface):
            self._wanted = len(preface)
            return -1
        self._preface_read = True
        return len(preface)

    def _is_idle(self, stream_id: int) -> bool:
        return stream_id > self._last_peer_stream or stream_id & 1 == 0

    def _quick(self, data: bytes, position: int, news: list[Stream]) -> int:
        found = unpack_request(data, position, self._quick_size)
        if found is None:
            return 0
        stream_id, block, message, end = found
        head, timeout = self._decode(block)
        try:
            stream = self._accept(stream_id, head, timeout, end_stream=False)
        except StreamFault as fault:
            self._end_stream(fault, news)
            return position + FRAME_HEADER_SIZE + len(block)
        if stream is None or stream.expected is not None:
            if stream is not None:
                news.append(stream)
            return position + FRAME_HEADER_SIZE + len(block)  # the DATA frame goes its usual way
        self._take_from_window(len(message) + PREFIX_SIZE)
        stream.messages = (message,)
        stream.remote_closed = True
        news.append(stream)
        return end

    def _on_header_block(
        self, stream_id: int, head: RequestHead, timeout: bytes | None, end_stream: bool, news: list[Stream]
    ) -> None:
        stream = self.streams.get(stream_id)
        if stream is not None:
            self._on_trailers(stream, head, end_stream=end_stream)
            if not stream.silent:
                news.append(stream)
            return
        if stream_id & 1 and stream_id <= self._last_peer_stream:
            if stream_id in self._reset_here:
                return
            raise ConnectionFault(ErrorCode.STREAM_CLOSED, f"HEADERS on stream {stream_id}, which is closed")
        stream = self._accept(stream_id, head, timeout, end_stream=end_stream)
        if stream is not None:
            news.append(stream)

    def _on_trailers(self, stream: Stream, head: RequestHead, *, end_stream: bool) -> None:
        if stream.remote_closed:
            raise StreamFault(stream.id, ErrorCode.STREAM_CLOSED, "HEADERS after END_STREAM")
        if not end_stream:
            raise StreamFault(
                stream.id, ErrorCode.PROTOCOL_ERROR, "a second HEADERS frame without END_STREAM"
            )
        if head.malformed or not head.trailers:
            raise StreamFault(
                stream.id, ErrorCode.PROTOCOL_ERROR, head.malformed or "pseudo-header fields in trailers"
            )
        if stream.expected:
            raise StreamFault(
                stream.id, ErrorCode.PROTOCOL_ERROR, "content-length does not match the DATA frames"
            )
        self._remote_end(stream)

    def _accept(
        self, stream_id: int, head: RequestHead, timeout: bytes | None, *, end_stream: bool
    ) -> Stream | None:
        """Open a stream for a request, unless it is answered or dropped at once."""
        if stream_id & 1 == 0 or stream_id <= self._last_peer_stream:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, f"a client cannot open stream {stream_id} now")
        self._last_peer_stream = stream_id
        if self._draining:
            self._remember_reset(stream_id)
            return None
        self._last_accepted = stream_id
        if head.malformed or head.trailers:
            reason = head.malformed or ":method, :scheme and :path are required"
            raise StreamFault(stream_id, ErrorCode.PROTOCOL_ERROR, reason)
        if len(self.streams) >= self.options.max_concurrent_streams:
            raise StreamFault(stream_id, ErrorCode.REFUSED_STREAM, "too many concurrent streams")
        stream = Stream(stream_id, self._peer_window, self._stream_window)
        stream.request = head
        stream.remote_closed = end_stream
        self.streams[stream_id] = stream
        if timeout is not None:
            stream.timeout = decode_timeout(timeout)
        if (
            head.ordinary
            and head.size <= self._max_headers
            and (timeout is None or stream.timeout is not None)
        ):
            return stream
        return self._accept_unusual(
            stream, head, malformed_timeout=timeout is not None and stream.timeout is None
        )

    def _accept_unusual(self, stream: Stream, head: RequestHead, *, malformed_timeout: bool) -> Stream | None:
        stream.expected = head.content_length
        if head.content_length and stream.remote_closed:
            raise StreamFault(
                stream.id, ErrorCode.PROTOCOL_ERROR, "content-length announces DATA that does not come"
            )
        if head.refusal is not None:
            stream.silent = True
            if stream.remote_closed:
                self._refuse(stream, *head.refusal)
            return None  # otherwise answered at its end, when it is known to be well-formed
        if head.size > self._max_headers:
            self.finish(stream, Status(StatusCode.RESOURCE_EXHAUSTED, "the metadata is larger than allowed"))
        elif malformed_timeout:
            self.finish(stream, Status(StatusCode.INTERNAL, "grpc-timeout is malformed"))
        elif head.encoding not in _ENCODINGS:
            encoding = head.encoding.decode("ascii", "replace")
            self.finish(
                stream, Status(StatusCode.UNIMPLEMENTED, f"grpc-encoding {encoding!r} is not supported")
            )
        else:
            return stream
        return None

    def _refuse(self, stream: Stream, status: int, text: str) -> None:
        """Answer what is HTTP but not gRPC, readable for a person."""
        body = f"{text}\n".encode()
        stream.headers_sent = True
        self.send_headers(stream.id, responses.http_response_head(status, len(body)), end_stream=False)
        self.send_octets(stream, body)
        self.end_stream(stream, b"")

    def _new_reader(self, stream: Stream) -> MessageReader | None:
        request = stream.request
        if request is None or request.refusal is not None:
            return None
        return MessageReader(self.options.max_receive_message_size, request.encoding)

    def _on_remote_end(self, stream: Stream) -> None:
        request = stream.request
        if request is not None and request.refusal is not None and not stream.local_closed:
            self._refuse(stream, *request.refusal)
        elif stream.reader is not None and stream.reader.incomplete and not stream.local_closed:
            self.finish(stream, Status(StatusCode.INTERNAL, "the request ended within a message"))

    def _on_message_fault(self, stream: Stream, error: RpcError) -> None:
        self.finish(stream, Status(error.code, error.message))

    def _on_local_end(self, stream: Stream) -> None:
        if stream.remote_closed:
            self.streams.pop(stream.id, None)
        else:
            self._stop_request(stream)

    def _stop_request(self, stream: Stream) -> None:
        """Tell the client that the rest of its request is not wanted (RFC 9113, section 8.1)."""
        self._out.append(frames.rst_stream(stream.id, ErrorCode.NO_ERROR))
        self._remember_reset(stream.id)
        stream.remote_closed = True
        self.streams.pop(stream.id, None)

    def _on_lost(self, stream: Stream) -> None:
        pass

    def _on_goaway_received(self, news: list[Stream]) -> None:
        # It concerns streams that a server opens. A client that has said it may still open some, and ends the
        # connection itself.
        return

    def _on_ping_ack(self, opaque: bytes) -> None:
        if opaque == _SHUTDOWN_PING and self.state is ConnectionState.CLOSING and not self._draining:
            self._draining = True
            self._out.append(frames.goaway(self._last_accepted, ErrorCode.NO_ERROR))

    def _uses_gzip(self, stream: Stream) -> bool:
        return self._prefer_gzip and stream.request is not None and stream.request.accepts_gzip

    def _reply_in_pieces(self, stream: Stream, message: bytes) -> None:
        self.send_response(stream, message)
        self.finish(stream, Status(StatusCode.OK))
