"""One connection of a channel on an event loop."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from mattermost_plugin._grpc.aio.transport import Transport
from mattermost_plugin._grpc.client import ClientConnection

if TYPE_CHECKING:
    import asyncio

    from mattermost_plugin._grpc.aio.waiters import Waiter
    from mattermost_plugin._grpc.options import Options
    from mattermost_plugin._grpc.streams import Stream

__all__ = ["ClientTransport"]


class ClientTransport(Transport[ClientConnection]):
    """One connection of a channel."""

    def __init__(self, options: Options, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(ClientConnection(options), loop)
        self.waiting: deque[asyncio.Future[None]] = deque()

    def on_news(self, stream: Stream) -> None:
        """Tell a call that more of its response has come."""
        owner: Waiter | None = stream.owner
        if owner is not None:
            owner.on_news()
        if self.waiting and stream.closed:
            self._admit()

    def on_closing(self) -> None:
        """Let the calls that wait for a place look for another connection."""
        super().on_closing()
        self._admit()
        if not self.core.streams:
            self.close()

    def on_closed(self) -> None:
        """Let the calls that wait for a place look for another connection."""
        self._admit()

    def written(self) -> None:
        """Write at once if only one call is there, else together with the others'."""
        if len(self.core.streams) > 1:
            self.flush_soon()
        else:
            self.flush()

    def _admit(self) -> None:
        """Let calls that wait for the server's limit of streams look again."""
        while self.waiting:
            waiter = self.waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                if self.core.usable:
                    return
