"""Limits and settings of an endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mattermost_plugin._grpc.frames import DEFAULT_MAX_FRAME_SIZE, MAX_FRAME_SIZE, MAX_WINDOW
from mattermost_plugin._version import __version__

if TYPE_CHECKING:
    from typing import Literal

__all__ = ["Options"]


class Options:
    """How an endpoint behaves, client and server alike.

    Attributes:
        max_receive_message_size: octets of one message after decompression; a larger one ends its call with
            RESOURCE_EXHAUSTED.
        max_send_message_size: octets of one message before compression; likewise.
        max_concurrent_streams: calls that a peer may have open at once on a connection.
        stream_window: octets of one stream that the peer may send beyond what the application has taken.
        max_frame_size: octets of one frame's payload that the peer may send.
        max_header_list_size: octets of one header list (RFC 9113, section 6.5.2).
        header_table_size: octets of the dynamic table that the peer's header compression may use. With none,
            the same headers are always the same octets and are decoded once.
        send_buffer: octets of a stream that may wait for the peer before its sender is held up.
        compression: how messages are compressed if the peer accepts it; None: they are not.
        user_agent: what a client calls itself.
        max_resets: streams that a peer may reset, or idle control frames it may send, in one burst before
            the connection is ended with ENHANCE_YOUR_CALM; a hundredth of it is granted anew every second,
            and one for each answer sent.
    """

    __slots__ = (
        "compression",
        "header_table_size",
        "max_concurrent_streams",
        "max_frame_size",
        "max_header_list_size",
        "max_receive_message_size",
        "max_resets",
        "max_send_message_size",
        "send_buffer",
        "stream_window",
        "user_agent",
    )

    def __init__(
        self,
        *,
        max_receive_message_size: int = 512 << 20,
        max_send_message_size: int = 512 << 20,
        max_concurrent_streams: int = 1024,
        stream_window: int = 1 << 20,
        max_frame_size: int = DEFAULT_MAX_FRAME_SIZE,
        max_header_list_size: int = 64 << 10,
        header_table_size: int = 0,
        send_buffer: int = 256 << 10,
        compression: Literal["gzip"] | None = None,
        user_agent: str = f"grpc-python-mattermost-plugin/{__version__}",
        max_resets: int = 10_000,
    ) -> None:
        if not DEFAULT_MAX_FRAME_SIZE <= max_frame_size <= MAX_FRAME_SIZE:
            raise ValueError(f"max_frame_size must be between 16384 and 16777215, not {max_frame_size}")
        if not 1 <= stream_window <= MAX_WINDOW:
            raise ValueError(f"stream_window must be between 1 and 2147483647, not {stream_window}")
        if compression not in (None, "gzip"):
            raise ValueError(f"compression must be None or 'gzip', not {compression!r}")
        self.max_receive_message_size = max_receive_message_size
        self.max_send_message_size = max_send_message_size
        self.max_concurrent_streams = max_concurrent_streams
        self.stream_window = stream_window
        self.max_frame_size = max_frame_size
        self.max_header_list_size = max_header_list_size
        self.header_table_size = header_table_size
        self.send_buffer = send_buffer
        self.compression = compression
        self.user_agent = user_agent
        self.max_resets = max_resets
