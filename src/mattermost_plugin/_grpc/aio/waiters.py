"""What a call on an event loop waits for: news of its stream, and room to send more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mattermost_plugin._grpc.calls import DEADLINE_EXCEEDED

if TYPE_CHECKING:
    import asyncio

    from mattermost_plugin._grpc.aio.client_transport import ClientTransport
    from mattermost_plugin._grpc.status import Status
    from mattermost_plugin._grpc.streams import Stream

__all__ = ["UnaryWaiter", "Waiter"]


class Waiter:
    """Waits for a stream's news and for room to send; the stream's owner.

    Args:
        transport: the connection.
        stream: one of its streams.
        deadline: by `time.monotonic()`; None: none.
    """

    __slots__ = ("deadline", "news", "room", "stream", "transport")

    def __init__(self, transport: ClientTransport, stream: Stream, deadline: float | None) -> None:
        self.transport = transport
        self.stream = stream
        self.deadline = deadline
        self.news: asyncio.Future[None] | None = None
        self.room: asyncio.Future[None] | None = None
        stream.owner = self
        if deadline is not None:
            transport.watch_deadline(deadline)

    def wait_for_news(self) -> asyncio.Future[None]:
        """Return what is to be awaited: done when there is news."""
        self.news = future = self.transport.loop.create_future()
        return future

    def wait_for_room(self) -> asyncio.Future[None]:
        """Return what is to be awaited: done when there is room to send."""
        self.stream.wants_room = True
        self.room = future = self.transport.loop.create_future()
        return future

    def on_news(self) -> None:
        """Hear of news."""
        _wake(self.news)

    def on_room(self) -> None:
        """Hear of room to send."""
        _wake(self.room)

    def on_deadline(self) -> None:
        """Hear that the deadline has passed."""
        self.cancel(DEADLINE_EXCEEDED)

    def cancel(self, status: Status) -> None:
        """End the call from this side, unless it has ended."""
        if not self.stream.closed:
            self.transport.core.cancel(self.stream, status)
            self.transport.flush_soon()
        self.on_news()
        self.on_room()


class UnaryWaiter(Waiter):
    """Waits for a stream's end."""

    __slots__ = ()

    def on_news(self) -> None:
        """Hear of news."""
        if self.stream.status is not None:
            _wake(self.news)


def _wake(future: asyncio.Future[None] | None) -> None:
    if future is not None and not future.done():
        future.set_result(None)
