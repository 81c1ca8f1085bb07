"""Uvicorn's connections, made to refuse strangers and to leave nothing behind."""

from __future__ import annotations

import asyncio
import select
from typing import TYPE_CHECKING, Any

from mattermost_plugin import _forks
from mattermost_plugin._grpc.addresses import peer_credentials
from mattermost_plugin._logger import get_logger
from mattermost_plugin.http._scope import give_up

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self

    from mattermost_plugin._grpc.addresses import PeerCredentials

__all__ = ["Guard", "guarded"]

logger = get_logger("mattermost_plugin.http")

# Seconds that an application has to notice that its client is gone: the host waits no longer for a response.
_NOTICE = 5

# Bytes of a body that may wait for the application. Uvicorn stops reading at 64 KiB, which is after each
# read of asyncio's (256 KiB), and to stop and go on is a tenth of what a large upload takes.
_MUCH = 512 << 10

# What websockets reads of the head of a request: bytes in a line, and lines.
_LONGEST_LINE = 8192
_MOST_HEADERS = 128

# Seconds between two looks at a connection that is not read.
_LOOK = 1


def guarded(accepts: Callable[[PeerCredentials], bool], protocol: type) -> type:
    """Return uvicorn's protocol for connections of processes that are accepted.

    Uvicorn lets an application work for ever on a request whose connection is lost, and does not hear of that
    while it reads no further because the application takes no more of a body. And it reads in pieces that are
    small for large bodies.

    Args:
        accepts: Asked about each process that connects.
        protocol: Which of uvicorn's it is depends on what is installed.
    """
    return type("Guarded", (Guard, protocol), {"accepts": staticmethod(accepts)})


class Guard(asyncio.Protocol):
    """What `guarded` adds to uvicorn's protocol."""

    accepts: Callable[[PeerCredentials], bool]

    # Uvicorn's: the connection, the scope and the request that came last or None, and whether it reads.
    transport: Any
    scope: Any
    cycle: Any
    flow: Any

    _refused = False
    _descriptor = -1
    _looking: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        peer = peer_credentials(transport.get_extra_info("socket"))
        if not self.accepts(peer):
            logger.warning("Refused an HTTP connection of user %d", peer.uid)
            self._refused = True
            transport.abort()
            return
        self._descriptor = transport.get_extra_info("socket").fileno()
        _forks.hold(self._descriptor)
        super().connection_made(transport)
        self._pause = self.flow.pause_reading
        self.flow.pause_reading = self._pause_if_much

    def on_body(self, body: bytes) -> None:
        # Of uvicorn's protocol for httptools. In a bytearray a body is copied when it comes and when it goes.
        if type(self.cycle.body) is bytearray and not self.cycle.body:
            self.cycle.body = _Body()
        super().on_body(body)  # type: ignore[misc]

    def handle_websocket_upgrade(self, *event: Any) -> None:
        """Hand the connection to the package websockets, which has limits of its own and says nothing."""
        method, target = self.scope["method"], getattr(self, "url", None) or event[0].target
        headers = self.scope["headers"]
        if len(f"{method}  HTTP/1.1\r\n") + len(target) > _LONGEST_LINE:
            self._refuse(b"414 URI Too Long")
        elif len(headers) > _MOST_HEADERS or any(
            len(name) + len(value) + len(": \r\n") > _LONGEST_LINE for name, value in headers
        ):
            self._refuse(b"431 Request Header Fields Too Large")
        else:
            super().handle_websocket_upgrade(*event)  # type: ignore[misc]

    def _refuse(self, status: bytes) -> None:
        self.transport.write(b"HTTP/1.1 " + status + b"\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        self.transport.close()

    def _pause_if_much(self) -> None:
        # Without a body, this is about a further request that must wait for its turn.
        if not 0 < len(self.cycle.body) <= _MUCH:
            self._pause()

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        super().data_received(data)
        if self._looking is None and self.flow.read_paused:
            self._look_later()

    def connection_lost(self, error: Exception | None) -> None:
        if self._refused:
            return
        _forks.release(self._descriptor)
        if self._looking is not None:
            self._looking.cancel()
        super().connection_lost(error)
        if self.cycle is not None and not self.cycle.response_complete:
            asyncio.get_running_loop().call_later(_NOTICE, give_up, self.cycle.scope)

    def break_off(self) -> None:
        """Close the connection in the middle of a response."""
        self.cycle.disconnected = True
        self.cycle.message_event.set()
        self.transport.abort()

    def _look_later(self) -> None:
        self._looking = asyncio.get_running_loop().call_later(_LOOK, self._look)

    def _look(self) -> None:
        self._looking = None
        if not self.flow.read_paused:
            return
        if _is_closed(self.transport.get_extra_info("socket")):
            self.transport.abort()
        else:
            self._look_later()


class _Body:
    """What has come of a request's body and the application has yet to take, in the place of a bytearray."""

    __slots__ = ("_pieces", "_size")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def __iadd__(self, piece: bytes) -> Self:
        self._pieces.append(piece)
        self._size += len(piece)
        return self

    def __len__(self) -> int:
        return self._size

    def __bytes__(self) -> bytes:
        return b"".join(self._pieces)  # of one piece: itself


def _is_closed(sock: Any) -> bool:
    """Whether the other side has closed a connection, whatever of it is still to be read."""
    poll = select.poll()
    poll.register(sock.fileno(), 0)
    return any(event & (select.POLLHUP | select.POLLERR) for _, event in poll.poll(0))
