"""The sending half of a connection: frames within the peer's windows, fairly over the streams."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from mattermost_plugin._grpc import compression, frames, messages
from mattermost_plugin._grpc.errors import ConnectionFault, ErrorCode, StreamFault
from mattermost_plugin._grpc.frames import DEFAULT_MAX_FRAME_SIZE, DEFAULT_WINDOW, MAX_WINDOW, FrameType
from mattermost_plugin._grpc.status import RpcError, StatusCode

if TYPE_CHECKING:
    from mattermost_plugin._grpc.options import Options
    from mattermost_plugin._grpc.streams import Stream

__all__ = ["SendingHalf"]

#: Octets handed out at once; more would only wait in the socket's or the transport's buffer.
_OUTPUT_AT_ONCE: Final = 512 << 10
#: Below this size it is cheaper to copy a message than to send it in pieces of its own.
_SMALL: Final = 4096


class SendingHalf:
    """Collects what is to be written, as far as flow control lets it go.

    Attributes:
        streams: the streams that are not closed, by identifier.
        send_window: octets of DATA that the peer takes on the whole connection.
        writable: streams that have room again and whose driver asked for it; the driver empties it.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.streams: dict[int, Stream] = {}
        self.send_window = DEFAULT_WINDOW
        self.writable: list[Stream] = []
        self._peer_window = DEFAULT_WINDOW
        self._peer_max_frame = DEFAULT_MAX_FRAME_SIZE
        self._out: list[bytes | memoryview] = []
        self._queue: deque[Stream] = deque()  # streams with DATA pending and a window for it

    @property
    def has_output(self) -> bool:
        """Whether `data_to_send` would return anything."""
        return bool(self._out) or (self.send_window > 0 and bool(self._queue))

    def data_to_send(self) -> bytes:
        """Return octets to be written now, b"" if there are none; ask again once they are written."""
        if self._queue:
            self._pump()
        out = self._out
        if not out:
            return b""
        data = out[0] if len(out) == 1 else b"".join(out)
        out.clear()
        return data if isinstance(data, bytes) else bytes(data)

    def send_message(self, stream: Stream, message: bytes, *, gzip: bool = False) -> None:
        """Queue a message on an open stream, compressed if `gzip`.

        Raises:
            RpcError: RESOURCE_EXHAUSTED if it is larger than allowed.
        """
        self.check_size(message)
        if gzip:
            message = compression.compress(message)
        head = messages.prefix(message, compressed=gzip)
        if stream.pending is None:
            stream.pending = deque()
        if len(message) <= _SMALL:
            stream.pending.append(head + message)
        else:
            stream.pending.append(head)
            stream.pending.append(memoryview(message))
        stream.pending_size += len(message) + len(head)
        self._enqueue(stream)

    def send_octets(self, stream: Stream, octets: bytes) -> None:
        """Queue octets that are no message."""
        stream.pending = deque((octets,))
        stream.pending_size = len(octets)
        self._enqueue(stream)

    def check_size(self, message: bytes) -> None:
        """Raise RESOURCE_EXHAUSTED if a message is larger than this side may send."""
        if len(message) > self.options.max_send_message_size:
            limit = self.options.max_send_message_size
            raise RpcError(
                StatusCode.RESOURCE_EXHAUSTED,
                f"a message of {len(message)} octets is larger than the limit of {limit} for sending",
            )

    def has_room(self, stream: Stream) -> bool:
        """Whether a sender need not wait before it queues more on a stream."""
        return stream.pending_size <= self.options.send_buffer or stream.local_closed

    def end_stream(self, stream: Stream, block: bytes) -> None:
        """End this side of a stream after what is queued: with a header block, or b"" for none."""
        stream.finish = block
        if stream.pending_size:
            self._enqueue(stream)
        else:
            self._finish(stream)

    def drop_pending(self, stream: Stream) -> None:
        """Forget what was queued on a stream that is reset."""
        stream.pending = None
        stream.pending_size = 0
        stream.finish = None
        self._wake_sender(stream)

    def send_headers(self, stream_id: int, block: bytes, *, end_stream: bool) -> None:
        """Send a header block now."""
        self._out.extend(frames.header_frames(stream_id, block, self._peer_max_frame, end_stream=end_stream))

    def _on_local_end(self, stream: Stream) -> None:
        """Called when the last octet of this side is on its way."""
        raise NotImplementedError

    def _enqueue(self, stream: Stream) -> None:
        if not stream.queued and stream.send_window > 0:
            stream.queued = True
            self._queue.append(stream)

    def _finish(self, stream: Stream) -> None:
        block = stream.finish
        if block:
            self.send_headers(stream.id, block, end_stream=True)
        else:
            self._out.append(frames.frame_header(0, FrameType.DATA, frames.END_STREAM, stream.id))
        self._local_end(stream)

    def _local_end(self, stream: Stream) -> None:
        stream.finish = None
        stream.local_closed = True
        self._wake_sender(stream)
        self._on_local_end(stream)

    def _wake_sender(self, stream: Stream) -> None:
        if stream.wants_room:
            stream.wants_room = False
            self.writable.append(stream)

    def _pump(self) -> None:
        queue = self._queue
        budget = _OUTPUT_AT_ONCE
        while queue and budget > 0 and self.send_window > 0:
            stream = queue.popleft()
            stream.queued = False
            if not stream.pending_size:
                continue  # was reset
            budget -= self._send_data(stream)
            if not stream.pending_size:
                if stream.finish is not None:
                    if stream.finish:
                        self._finish(stream)
                    else:
                        self._local_end(stream)
            else:
                self._enqueue(stream)
            if stream.wants_room and stream.pending_size <= self.options.send_buffer // 2:
                self._wake_sender(stream)

    def _send_data(self, stream: Stream) -> int:
        """Send one DATA frame of a stream that has something pending and windows for it."""
        size = min(stream.pending_size, self._peer_max_frame, stream.send_window, self.send_window)
        stream.pending_size -= size
        stream.send_window -= size
        self.send_window -= size
        ends = not stream.pending_size and stream.finish == b""
        self._out.append(
            frames.frame_header(size, FrameType.DATA, frames.END_STREAM if ends else 0, stream.id)
        )
        pending = stream.pending
        missing = size
        while missing and pending:
            piece = pending[0]
            if len(piece) <= missing:
                self._out.append(piece)
                pending.popleft()
                missing -= len(piece)
            else:
                self._out.append(piece[:missing])
                pending[0] = memoryview(piece)[missing:]
                missing = 0
        return size

    def _grow_window(self, stream_id: int, increment: int) -> None:
        """Apply a WINDOW_UPDATE frame (RFC 9113, section 6.9)."""
        if stream_id == 0:
            if increment == 0:
                raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "WINDOW_UPDATE with an increment of 0")
            self.send_window += increment
            if self.send_window > MAX_WINDOW:
                raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "the connection's window exceeds 2^31-1")
            return
        stream = self.streams.get(stream_id)
        if increment == 0:
            raise StreamFault(stream_id, ErrorCode.PROTOCOL_ERROR, "WINDOW_UPDATE with an increment of 0")
        if stream is None:
            return
        stream.send_window += increment
        if stream.send_window > MAX_WINDOW:
            raise StreamFault(stream_id, ErrorCode.FLOW_CONTROL_ERROR, "the stream's window exceeds 2^31-1")
        if stream.pending_size:
            self._enqueue(stream)

    def _set_peer_window(self, size: int) -> None:
        """Apply SETTINGS_INITIAL_WINDOW_SIZE to open streams as well (RFC 9113, section 6.9.2)."""
        change = size - self._peer_window
        self._peer_window = size
        for stream in self.streams.values():
            stream.send_window += change
            if stream.send_window > MAX_WINDOW:
                raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "a stream's window exceeds 2^31-1")
            if stream.pending_size:
                self._enqueue(stream)
