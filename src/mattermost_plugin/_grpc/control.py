"""The frames that control a connection and its streams (RFC 9113, sections 6.3 to 6.9)."""

from __future__ import annotations

import enum
import struct
from typing import TYPE_CHECKING, ClassVar

from mattermost_plugin._grpc import frames
from mattermost_plugin._grpc.errors import ConnectionFault, ErrorCode, StreamFault
from mattermost_plugin._grpc.floods import FloodGuard
from mattermost_plugin._grpc.frames import MAX_WINDOW, Setting
from mattermost_plugin._grpc.sending import SendingHalf

if TYPE_CHECKING:
    from collections.abc import Callable

    from mattermost_plugin._grpc.options import Options
    from mattermost_plugin._grpc.streams import Stream

__all__ = ["ConnectionState", "ControlFrames", "dependency"]


class ConnectionState(enum.Enum):
    """Whether a connection takes new calls, finishes those it has, or is over."""

    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


class ControlFrames(SendingHalf):
    """Takes in control frames.

    Attributes:
        state: CLOSING once either side has sent GOAWAY, CLOSED after a connection error or the socket's end.
        goaway: what the peer's GOAWAY said: last stream, error code, debug data.
    """

    client_side: ClassVar[bool]

    def __init__(self, options: Options, clock: Callable[[], float]) -> None:
        super().__init__(options)
        self.state = ConnectionState.OPEN
        self.goaway: tuple[int, ErrorCode, bytes] | None = None
        self._flood = FloodGuard(options.max_resets, clock)
        self._reset_here: dict[int, None] = {}
        self._peer_max_streams: int | None = None

    def ping(self, opaque: bytes) -> None:
        """Send a PING with eight octets; `_on_ping_ack` hears of its answer."""
        self._out.append(frames.ping(opaque))

    def _is_idle(self, stream_id: int) -> bool:
        raise NotImplementedError

    def _drop(self, stream: Stream, code: ErrorCode) -> None:
        raise NotImplementedError

    def _on_settings_ack(self) -> None:
        raise NotImplementedError

    def _on_goaway_received(self, news: list[Stream]) -> None:
        raise NotImplementedError

    def _set_header_table_size(self, size: int) -> None:
        """Hear how large a dynamic table the peer allows; a side that uses none need not care."""

    def _on_ping_ack(self, opaque: bytes) -> None:
        """Hear of the answer to a PING."""

    def _on_reset_by_peer(self, stream: Stream, code: ErrorCode) -> None:
        """Hear of RST_STREAM before the stream is dropped."""

    def _on_push_promise(self, _flags: int, _stream_id: int, _payload: bytes, _news: list[Stream]) -> None:
        raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "PUSH_PROMISE, which is not enabled")

    def _on_priority(self, _flags: int, stream_id: int, payload: bytes, _news: list[Stream]) -> None:
        self._flood.spend()
        if stream_id == 0:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "PRIORITY on stream 0")
        if len(payload) != 5:
            raise StreamFault(stream_id, ErrorCode.FRAME_SIZE_ERROR, "PRIORITY is not five octets")
        if dependency(payload) == stream_id:
            raise StreamFault(stream_id, ErrorCode.PROTOCOL_ERROR, "a stream depends on itself")

    def _on_rst_stream(self, _flags: int, stream_id: int, payload: bytes, news: list[Stream]) -> None:
        if stream_id == 0:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "RST_STREAM on stream 0")
        if len(payload) != 4:
            raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "RST_STREAM is not four octets")
        if self._is_idle(stream_id):
            raise ConnectionFault(
                ErrorCode.PROTOCOL_ERROR, f"RST_STREAM on stream {stream_id}, which is idle"
            )
        self._flood.spend()
        # Whatever the peer sends on this stream from now on, it sends knowing that the stream is closed.
        self._reset_here.pop(stream_id, None)
        stream = self.streams.get(stream_id)
        if stream is not None:
            code = ErrorCode.of(int.from_bytes(payload, "big"))
            self._on_reset_by_peer(stream, code)
            self._drop(stream, code)
            news.append(stream)

    def _on_settings(self, flags: int, stream_id: int, payload: bytes, _news: list[Stream]) -> None:
        if stream_id != 0:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "SETTINGS on a stream")
        if flags & frames.ACK:
            if payload:
                raise ConnectionFault(
                    ErrorCode.FRAME_SIZE_ERROR, "an acknowledgement of SETTINGS has a payload"
                )
            self._on_settings_ack()
            return
        if len(payload) % 6:
            raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "SETTINGS is not a multiple of six octets")
        self._flood.spend()
        for key, value in struct.iter_unpack(">HL", payload):
            self._apply_setting(key, value)
        self._out.append(frames.settings_ack())

    def _apply_setting(self, key: int, value: int) -> None:
        if key == Setting.INITIAL_WINDOW_SIZE:
            if value > MAX_WINDOW:
                raise ConnectionFault(
                    ErrorCode.FLOW_CONTROL_ERROR, "SETTINGS_INITIAL_WINDOW_SIZE exceeds 2^31-1"
                )
            self._set_peer_window(value)
        elif key == Setting.MAX_FRAME_SIZE:
            if not frames.DEFAULT_MAX_FRAME_SIZE <= value <= frames.MAX_FRAME_SIZE:
                raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "SETTINGS_MAX_FRAME_SIZE is out of range")
            self._peer_max_frame = value
        elif key == Setting.ENABLE_PUSH:
            if value > (0 if self.client_side else 1):
                raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "SETTINGS_ENABLE_PUSH is out of range")
        elif key == Setting.MAX_CONCURRENT_STREAMS:
            self._peer_max_streams = value
        elif key == Setting.HEADER_TABLE_SIZE:
            self._set_header_table_size(value)

    def _on_ping(self, flags: int, stream_id: int, payload: bytes, _news: list[Stream]) -> None:
        if stream_id != 0:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "PING on a stream")
        if len(payload) != 8:
            raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "PING is not eight octets")
        if flags & frames.ACK:
            self._on_ping_ack(payload)
        else:
            self._flood.spend()
            self._out.append(frames.ping(payload, ack=True))

    def _on_goaway(self, _flags: int, stream_id: int, payload: bytes, news: list[Stream]) -> None:
        if stream_id != 0:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "GOAWAY on a stream")
        if len(payload) < 8:
            raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "GOAWAY is too short")
        last, code = struct.unpack_from(">LL", payload)
        self.goaway = (last & MAX_WINDOW, ErrorCode.of(code), payload[8:])
        if self.state is ConnectionState.OPEN:
            self.state = ConnectionState.CLOSING
        self._on_goaway_received(news)

    def _on_window_update(self, _flags: int, stream_id: int, payload: bytes, _news: list[Stream]) -> None:
        if len(payload) != 4:
            raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "WINDOW_UPDATE is not four octets")
        if stream_id and self._is_idle(stream_id):
            raise ConnectionFault(
                ErrorCode.PROTOCOL_ERROR, f"WINDOW_UPDATE on stream {stream_id}, which is idle"
            )
        self._grow_window(stream_id, int.from_bytes(payload, "big") & MAX_WINDOW)


def dependency(payload: bytes) -> int:
    """Return the stream that a priority depends on."""
    return int.from_bytes(payload[:4], "big") & MAX_WINDOW
