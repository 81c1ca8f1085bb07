"""An HTTP/2 connection without a socket: octets in, news and octets out.

`receive` takes what came from the peer and returns the streams with news; `data_to_send` returns what is to
be written. `ServerConnection` and `ClientConnection` add the two sides of gRPC. Nothing here blocks, waits or
knows of threads: a driver uses a connection from one thread at a time.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from mattermost_plugin._grpc import frames
from mattermost_plugin._grpc.control import ConnectionState, dependency
from mattermost_plugin._grpc.data import DataFrames, unpad
from mattermost_plugin._grpc.errors import ConnectionFault, ErrorCode, StreamFault
from mattermost_plugin._grpc.frames import FRAME_HEADER, FRAME_HEADER_SIZE, MAX_WINDOW, FrameType, Setting
from mattermost_plugin._grpc.header_blocks import HeaderBlockDecoder, HeaderList

if TYPE_CHECKING:
    from collections.abc import Callable

    from mattermost_plugin._grpc.options import Options
    from mattermost_plugin._grpc.streams import Stream

__all__ = ["Connection", "ConnectionState"]

Head = TypeVar("Head")

_FLAGS_WITH_PADDING: Final = frames.PADDED | frames.PRIORITY
#: Octets read at once from which on they are not copied to be put together with what came before.
_MUCH: Final = 64 << 10
#: Octets of a DATA frame from which on it is looked at whether it is one of many.
_LONG: Final = 4 << 10
#: How many streams that this side reset are remembered, because frames for them may be on their way.
_MAX_RESET_REMEMBERED: Final = 4096


class Connection(DataFrames, Generic[Head]):
    """What servers and clients have in common.

    Attributes:
        fault: the connection error that ended the connection, if one did.
    """

    def __init__(
        self,
        options: Options,
        interpret: Callable[[HeaderList], Head],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(options, clock)
        self.fault: ConnectionFault | None = None
        self._decoder: HeaderBlockDecoder[Head] = HeaderBlockDecoder(interpret, options.max_header_list_size)
        self._last_peer_stream = 0
        self._last_accepted = 0
        self._peer_ready = False  # whether the peer's first SETTINGS came
        # What came of a frame that is not complete, and how much there must be to go on.
        self._rest: list[bytes] = []
        self._rest_size = 0
        self._wanted = 0
        # A header block that is not complete: its stream, flags and parts.
        self._block_stream = 0
        self._block_flags = 0
        self._block: list[bytes] = []
        self._block_size = 0
        self._on_frame: tuple[Callable[[int, int, bytes, list[Stream]], None], ...] = (
            self._on_data,
            self._on_headers,
            self._on_priority,
            self._on_rst_stream,
            self._on_settings,
            self._on_push_promise,
            self._on_ping,
            self._on_goaway,
            self._on_window_update,
            self._on_continuation,
        )
        self._send_preface()

    # ---- what drivers use

    def receive(self, data: bytes) -> list[Stream]:
        """Take in octets from the peer and return the streams with news, some perhaps twice."""
        news: list[Stream] = []
        if self.state is ConnectionState.CLOSED:
            return news
        try:
            self._take_in(data, news)
        except ConnectionFault as fault:
            self._end(fault, news)
        return news

    def connection_lost(self) -> list[Stream]:
        """Take in that the socket is at its end and return the streams that thereby ended."""
        news: list[Stream] = []
        if self.state is not ConnectionState.CLOSED:
            self.state = ConnectionState.CLOSED
            self._abandon(news)
        return news

    def reset(self, stream: Stream, code: ErrorCode) -> None:
        """End a stream at once, in both directions."""
        if not stream.closed:
            self._out.append(frames.rst_stream(stream.id, code))
            self._remember_reset(stream.id)
            self._drop(stream, code)

    # ---- what the sides add

    def _send_preface(self) -> None:
        raise NotImplementedError

    def _read_preface(self, data: bytes) -> int:
        """Return the octets that the peer's preface takes at the start of `data`, -1 if there are too few."""
        raise NotImplementedError

    def _on_header_block(
        self, stream_id: int, head: Head, timeout: bytes | None, end_stream: bool, news: list[Stream]
    ) -> None:
        raise NotImplementedError

    def _quick(self, data: bytes, position: int, news: list[Stream]) -> int:
        """Take in a small call at once, if a HEADERS frame begins all of one; return its end, or 0."""
        raise NotImplementedError

    def _on_lost(self, stream: Stream) -> None:
        """Give a stream its end when the connection has come to its own."""
        raise NotImplementedError

    # ---- frames

    def _take_in(self, data: bytes, news: list[Stream]) -> None:
        start = 0
        while self._rest:
            # Of much, only what completes the frame is put together with what came of it, the rest stays.
            stop = start + self._wanted - self._rest_size if len(data) > _MUCH else len(data)
            part = data[start:stop] if start or stop < len(data) else data
            self._rest.append(part)
            self._rest_size += len(part)
            if self._rest_size < self._wanted:
                return
            joined = b"".join(self._rest)
            self._rest = []
            self._keep(joined, self._read(joined, 0, news))
            start = stop
            if start >= len(data):
                return
        self._keep(data, self._read(data, start, news))

    def _keep(self, data: bytes, position: int) -> None:
        """Keep what came of a frame that is not complete."""
        if position < len(data):
            self._rest.append(data[position:] if position else data)
            self._rest_size = len(data) - position

    def _settings(self) -> dict[Setting, int]:
        options = self.options
        return {
            Setting.HEADER_TABLE_SIZE: options.header_table_size,
            Setting.INITIAL_WINDOW_SIZE: options.stream_window,
            Setting.MAX_FRAME_SIZE: options.max_frame_size,
            Setting.MAX_HEADER_LIST_SIZE: options.max_header_list_size,
        }

    def _read(self, data: bytes, position: int, news: list[Stream]) -> int:
        """Take in all complete frames from `position` on and return where the first incomplete one starts."""
        if not self._peer_ready:
            size = self._read_preface(data)
            if size < 0:
                return 0
            position += size
        end = len(data)
        unpack = FRAME_HEADER.unpack_from
        max_size = self.options.max_frame_size
        while end - position >= FRAME_HEADER_SIZE:
            if data[position + 3] == 1 and self._peer_ready and not self._block_stream:
                quick = self._quick(data, position, news)
                if quick:
                    position = quick
                    continue
            high, low, kind, flags, stream_id = unpack(data, position)
            stop = position + FRAME_HEADER_SIZE + (high << 8 | low)
            if stop > end or stop - position > max_size + FRAME_HEADER_SIZE:
                if (high << 8 | low) > max_size:
                    raise ConnectionFault(
                        ErrorCode.FRAME_SIZE_ERROR, "a frame is larger than SETTINGS_MAX_FRAME_SIZE"
                    )
                self._wanted = stop - position
                return position
            if not kind and not flags and stop - position > _LONG and not self._block_stream:
                middle = self._middle(data, position, stream_id)
                if middle > position:
                    position = middle
                    continue
            self._frame(kind, flags, stream_id & MAX_WINDOW, data[position + FRAME_HEADER_SIZE : stop], news)
            position = stop
        self._wanted = FRAME_HEADER_SIZE
        return position

    def _frame(self, kind: int, flags: int, stream_id: int, payload: bytes, news: list[Stream]) -> None:
        if self._block_stream and (kind != FrameType.CONTINUATION or stream_id != self._block_stream):
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "a header block is interrupted by another frame")
        if not self._peer_ready:
            if kind != FrameType.SETTINGS or flags & frames.ACK:
                raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "the first frame is not SETTINGS")
            self._peer_ready = True
        if kind > FrameType.CONTINUATION:
            self._flood.spend()
            return
        try:
            self._on_frame[kind](flags, stream_id, payload, news)
        except StreamFault as fault:
            self._end_stream(fault, news)

    def _on_settings_ack(self) -> None:
        self._decoder.limit_table(self.options.header_table_size)

    def _end_stream(self, fault: StreamFault, news: list[Stream]) -> None:
        stream = self.streams.get(fault.stream_id)
        self._flood.spend()
        if stream is None:
            self._out.append(frames.rst_stream(fault.stream_id, fault.code))
            self._remember_reset(fault.stream_id)
        else:
            self.reset(stream, fault.code)
            news.append(stream)

    def _end(self, fault: ConnectionFault, news: list[Stream]) -> None:
        """End the connection with an error (RFC 9113, section 5.4.1)."""
        self.fault = fault
        self.state = ConnectionState.CLOSED
        self._out.append(frames.goaway(self._last_accepted, fault.code, fault.reason.encode()))
        self._abandon(news)

    def _abandon(self, news: list[Stream]) -> None:
        for stream in list(self.streams.values()):
            self._on_lost(stream)
            self._drop(stream, ErrorCode.CANCEL)
            news.append(stream)
        self._queue.clear()

    def _drop(self, stream: Stream, code: ErrorCode) -> None:
        stream.reset_code = code
        stream.local_closed = stream.remote_closed = True
        self.drop_pending(stream)
        self.streams.pop(stream.id, None)

    def _remember_reset(self, stream_id: int) -> None:
        if len(self._reset_here) >= _MAX_RESET_REMEMBERED:
            del self._reset_here[next(iter(self._reset_here))]
        self._reset_here[stream_id] = None

    def _closed_stream(self, stream_id: int, what: str) -> None:
        """React to a frame for a stream that is not open (RFC 9113, section 5.1)."""
        if self._is_idle(stream_id):
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, f"{what} on stream {stream_id}, which is idle")
        if stream_id not in self._reset_here:
            raise StreamFault(stream_id, ErrorCode.STREAM_CLOSED, f"{what} on a closed stream")

    # ---- header blocks

    def _on_headers(self, flags: int, stream_id: int, payload: bytes, news: list[Stream]) -> None:
        if stream_id == 0:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "HEADERS on stream 0")
        if flags & _FLAGS_WITH_PADDING:
            if flags & frames.PADDED:
                payload = unpad(payload)
            if flags & frames.PRIORITY:
                if len(payload) < 5:
                    raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "HEADERS is too short for its priority")
                if dependency(payload) == stream_id:
                    # The block must be decoded all the same, so the fault is the connection's.
                    raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "a stream depends on itself")
                payload = payload[5:]
        if flags & frames.END_HEADERS:
            self._complete_block(stream_id, flags, payload, news)
            return
        self._block_stream, self._block_flags = stream_id, flags
        self._block, self._block_size = [payload], len(payload)

    def _on_continuation(self, flags: int, stream_id: int, payload: bytes, news: list[Stream]) -> None:
        if not self._block_stream:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "CONTINUATION without HEADERS")
        self._flood.spend()
        self._block.append(payload)
        self._block_size += len(payload)
        if self._block_size > 4 * self.options.max_header_list_size:
            raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "a header block is too large")
        if flags & frames.END_HEADERS:
            block = b"".join(self._block)
            self._block_stream, self._block = 0, []
            self._complete_block(stream_id, self._block_flags, block, news)

    def _complete_block(self, stream_id: int, flags: int, block: bytes, news: list[Stream]) -> None:
        head, timeout = self._decode(block)
        self._on_header_block(stream_id, head, timeout, bool(flags & frames.END_STREAM), news)

    def _decode(self, block: bytes) -> tuple[Head, bytes | None]:
        # Most blocks with a deadline are known, and found without leaving compiled code.
        timed = self._decoder.timed.get(block)
        return self._decoder.decode(block) if timed is None else timed
