"""DATA frames of a connection: messages out of them, and the windows that hold their senders back."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from mattermost_plugin._grpc import frames
from mattermost_plugin._grpc.control import ControlFrames
from mattermost_plugin._grpc.errors import ConnectionFault, ErrorCode, StreamFault
from mattermost_plugin._grpc.frames import FRAME_HEADER, FRAME_HEADER_SIZE, MAX_WINDOW
from mattermost_plugin._grpc.status import RpcError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mattermost_plugin._grpc.messages import MessageReader
    from mattermost_plugin._grpc.options import Options
    from mattermost_plugin._grpc.streams import Stream

__all__ = ["DataFrames", "unpad"]

_WINDOW_REFILL: Final = MAX_WINDOW // 2


class DataFrames(ControlFrames):
    """Takes in DATA frames."""

    def __init__(self, options: Options, clock: Callable[[], float]) -> None:
        super().__init__(options, clock)
        self._receive_window = MAX_WINDOW

    def take(self, stream: Stream) -> bytes:
        """Take the oldest message of a stream, so that the peer may send as much again."""
        messages = stream.messages
        if isinstance(messages, deque):
            message = messages.popleft()
        else:
            message = messages[0]
            stream.messages = ()
        credit = min(stream.held, len(message) + 5) if stream.messages else stream.held
        if credit and not stream.remote_closed:
            stream.held -= credit
            self._credit(stream, credit)
        return message

    # ---- what others add

    def _new_reader(self, stream: Stream) -> MessageReader | None:
        """Begin to read messages; None if what comes is not wanted."""
        raise NotImplementedError

    def _on_message_fault(self, stream: Stream, error: RpcError) -> None:
        raise NotImplementedError

    def _on_remote_end(self, stream: Stream) -> None:
        raise NotImplementedError

    def _closed_stream(self, stream_id: int, what: str) -> None:
        raise NotImplementedError

    # ---- frames

    def _on_data(self, flags: int, stream_id: int, payload: bytes, news: list[Stream]) -> None:
        if stream_id == 0:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "DATA on stream 0")
        size = len(payload)
        if size > self._receive_window:
            raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "the connection's window is exceeded")
        self._take_from_window(size)
        if flags & frames.PADDED:
            payload = unpad(payload)
        if not payload and not flags & frames.END_STREAM:
            self._flood.spend()
        stream = self.streams.get(stream_id)
        if stream is None:
            self._closed_stream(stream_id, "DATA")
        else:
            self._on_stream_data(stream, payload, size, bool(flags & frames.END_STREAM), news)

    def _middle(self, data: bytes, position: int, stream_id: int) -> int:
        """Take in a run of DATA frames in the midst of one message at once; return its end, or `position`.

        A large message is many frames, which are alike. What is not alike goes its usual way.
        """
        stream = self.streams.get(stream_id)
        if stream is None or stream.remote_closed or stream.reader is None or stream.expected is not None:
            return position
        end = len(data)
        unpack = FRAME_HEADER.unpack_from
        room = min(stream.receive_window, self._receive_window, stream.reader.missing - 1)
        max_size = self.options.max_frame_size
        view = memoryview(data)
        parts: list[memoryview] = []
        taken = 0
        while end - position > FRAME_HEADER_SIZE:
            high, low, kind, flags, frame_stream = unpack(data, position)
            size = high << 8 | low
            start = position + FRAME_HEADER_SIZE
            if (
                kind
                or flags
                or frame_stream != stream_id
                or not 0 < size <= max_size
                or start + size > end
                or taken + size > room
            ):
                break
            position = start + size
            parts.append(view[start:position])
            taken += size
        if taken:
            stream.reader.feed_middle(parts, taken)
            stream.receive_window -= taken
            self._take_from_window(taken)
            self._account(stream, taken)
        return position

    def _on_stream_data(
        self, stream: Stream, payload: bytes, size: int, ends: bool, news: list[Stream]
    ) -> None:
        if stream.remote_closed:
            raise StreamFault(stream.id, ErrorCode.STREAM_CLOSED, "DATA after END_STREAM")
        if size > stream.receive_window:
            raise StreamFault(stream.id, ErrorCode.FLOW_CONTROL_ERROR, "the stream's window is exceeded")
        stream.receive_window -= size
        if stream.expected is not None:
            stream.expected -= len(payload)
            if stream.expected < 0 or (stream.expected and ends):
                raise StreamFault(
                    stream.id, ErrorCode.PROTOCOL_ERROR, "content-length does not match the DATA frames"
                )
        if payload and not self._read_messages(stream, payload):
            news.append(stream)
            return
        if (stream.messages or ends) and not stream.silent:
            news.append(stream)
        if ends:
            self._remote_end(stream)
        else:
            self._account(stream, size)

    def _read_messages(self, stream: Stream, payload: bytes) -> bool:
        reader = stream.reader
        if reader is None:
            reader = stream.reader = self._new_reader(stream)
            if reader is None:
                return True
        try:
            messages = reader.feed(payload)
        except RpcError as error:
            self._on_message_fault(stream, error)
            return False
        waiting = stream.messages
        if isinstance(waiting, deque):
            waiting.extend(messages)
        elif waiting or len(messages) > 1:
            stream.messages = deque((*waiting, *messages))
        elif messages:
            stream.messages = (messages[0],)
        return True

    def _remote_end(self, stream: Stream) -> None:
        stream.remote_closed = True
        self._on_remote_end(stream)
        if stream.local_closed:
            self.streams.pop(stream.id, None)

    # ---- windows

    def _account(self, stream: Stream, size: int) -> None:
        """Hold octets against a stream until its messages are taken."""
        if stream.messages:
            stream.held += size
        else:
            self._credit(stream, size)

    def _credit(self, stream: Stream, size: int) -> None:
        stream.uncredited += size
        if stream.uncredited >= self.options.stream_window >> 1:
            self._out.append(frames.window_update(stream.id, stream.uncredited))
            stream.receive_window += stream.uncredited
            stream.uncredited = 0

    def _take_from_window(self, size: int) -> None:
        self._receive_window -= size
        if self._receive_window < _WINDOW_REFILL:
            self._out.append(frames.window_update(0, MAX_WINDOW - self._receive_window))
            self._receive_window = MAX_WINDOW


def unpad(payload: bytes) -> bytes:
    """Return a payload without its padding (RFC 9113, section 6.1)."""
    if not payload or payload[0] >= len(payload):
        raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "the padding is longer than the frame")
    return payload[1 : len(payload) - payload[0]]
