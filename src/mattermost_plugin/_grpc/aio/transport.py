"""Moves octets between a connection and an asyncio transport."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, cast

from mattermost_plugin import _forks
from mattermost_plugin._grpc.connection import Connection, ConnectionState
from mattermost_plugin._grpc.patience import Lookout

if TYPE_CHECKING:
    from mattermost_plugin._grpc.streams import Stream

__all__ = ["Transport"]

#: Seconds that a peer has to take what is still to be written when a connection is closed.
_LAST_OCTETS: Final = 1.0

#: Messages that wait for each other to be written together. The peer begins with these while this side is
#: still busy with what came along with them.
_AT_ONCE: Final = 5

Core = TypeVar("Core", bound=Connection[Any])


class Transport(Generic[Core]):
    """A connection as an event loop's protocol: it has the methods of `asyncio.Protocol`.

    It does not derive from it, because then it could not be compiled.

    Streams have as their owner an object with `on_news()`, `on_room()`, `on_deadline()` and `deadline`.
    """

    def __init__(self, core: Core, loop: asyncio.AbstractEventLoop) -> None:
        self.core: Core = core
        self.loop = loop
        self.transport: asyncio.Transport | None = None
        self._closed = asyncio.Event()
        self._descriptor = -1
        self._paused = False
        self._flush_scheduled = False
        self._put_off = 0  # calls of `flush_soon` since the last flush: about one for each message
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._lookout = Lookout(loop)

    # ---- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin with this side's preface."""
        # uvloop's transports are not of asyncio's classes.
        self.transport = cast("asyncio.Transport", transport)
        sock = transport.get_extra_info("socket")
        if sock is not None:
            self._descriptor = sock.fileno()
            _forks.hold(self._descriptor)
        self.flush()

    def data_received(self, data: bytes) -> None:
        """Take in octets and tell the streams concerned."""
        told = self.core.receive(data)
        self._lookout.came(len(told))
        for stream in told:
            self.on_news(stream)
        if self.core.has_output:
            self.flush()
        if len(told) > 1:
            self.flush_soon()  # behind the tasks that were woken: what they say is written in this turn
        if self.core.state is not ConnectionState.OPEN:
            self.on_closing()

    def eof_received(self) -> None:
        """Have the socket closed: nothing can be half closed in gRPC."""

    def connection_lost(self, exc: Exception | None) -> None:
        """End all streams."""
        _forks.release(self._descriptor)
        if self.transport is not None:
            self.transport.close()  # Python 3.10's TLS transport wants to hear it even now
            self.transport = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for stream in self.core.connection_lost():
            self.on_news(stream)
        self._wake_writers()
        self._closed.set()
        self.on_closed()

    def pause_writing(self) -> None:
        """Leave what is to be sent in the streams, where flow control holds their senders up."""
        self._paused = True

    def resume_writing(self) -> None:
        """Go on writing."""
        self._paused = False
        self.flush()

    # ---- for the sides

    def on_news(self, stream: Stream) -> None:
        """Hear of news of a stream."""
        raise NotImplementedError

    def on_closing(self) -> None:
        """Hear that the connection takes no more calls, or ended with an error."""
        if self.core.state is ConnectionState.CLOSED:
            self.close()

    def on_closed(self) -> None:
        """Hear that the socket is closed."""

    def flush(self) -> None:
        """Write what can be written now."""
        self._put_off = 0
        core, transport = self.core, self.transport
        if transport is None:
            return
        while not self._paused:
            data = core.data_to_send()
            if not data:
                break
            transport.write(data)
            # The next call, or the answer to this one, may be here in no time.
            self._lookout.look()
        if core.writable:
            self._wake_writers()

    def flush_soon(self) -> None:
        """Write at the end of this turn of the loop, together with what else is to be written by then.

        If that is much, some of it is written now.
        """
        self._put_off += 1
        if self._put_off >= _AT_ONCE:
            self.flush()
        elif not self._flush_scheduled:
            self._flush_scheduled = True
            self.loop.call_soon(self._flush_in_turn)

    def _flush_in_turn(self) -> None:
        self._flush_scheduled = False
        self.flush()

    def close(self) -> None:
        """Close the socket after what was written."""
        if self.transport is not None:
            self.transport.close()

    async def wait_closed(self) -> None:
        """Wait until the socket is closed; a peer that does not take the last octets is not waited for."""
        try:
            await asyncio.wait_for(self._closed.wait(), _LAST_OCTETS)
        except asyncio.TimeoutError:
            if self.transport is not None:
                self.transport.abort()
            await self._closed.wait()

    def _wake_writers(self) -> None:
        writable, self.core.writable = self.core.writable, []
        for stream in writable:
            if stream.owner is not None:
                stream.owner.on_room()

    # ---- deadlines: one timer for all streams, set to the earliest and not moved when a call ends

    def watch_deadline(self, deadline: float) -> None:
        """See to it that the owners of streams hear when their deadlines pass."""
        if self._timer is not None:
            if self._timer_at <= deadline:
                return
            self._timer.cancel()
        self._timer_at = deadline
        self._timer = self.loop.call_later(max(0.0, deadline - time.monotonic()), self._check_deadlines)

    def _check_deadlines(self) -> None:
        self._timer = None
        now = time.monotonic()
        earliest: float | None = None
        for stream in list(self.core.streams.values()):
            owner: Any = stream.owner
            deadline = None if owner is None else owner.deadline
            if deadline is None:
                continue
            if deadline <= now:
                owner.on_deadline()
            elif earliest is None or deadline < earliest:
                earliest = deadline
        self.flush()
        if earliest is not None:
            self.watch_deadline(earliest)
