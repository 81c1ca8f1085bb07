"""go-plugin's broker on asyncio."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from mattermost_plugin._runtime.broker import BROKER_TIMEOUT, Announcements, never_announced
from mattermost_plugin._runtime.wire import NO_MESSAGES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from mattermost_plugin._grpc.aio import ServerCall
    from mattermost_plugin._runtime.wire import ConnInfo

__all__ = ["AsyncBroker"]


class AsyncBroker:
    """Serves `plugin.GRPCBroker` on an event loop."""

    def __init__(self, on_streams_change: Callable[[int], None]) -> None:
        """Make a broker; `on_streams_change` is called with the number of open streams when it changes."""
        self._announcements = Announcements()
        self._changed = asyncio.Event()
        self._on_streams_change = on_streams_change
        self._streams = 0

    async def start_stream(self, requests: AsyncIterator[bytes], _call: ServerCall) -> AsyncIterator[bytes]:
        """Serve `StartStream`: take announcements until the host ends the stream."""
        self._count(1)
        try:
            async for message in requests:
                self._announcements.add(message)
                self._changed.set()
        finally:
            self._count(-1)
        for message in NO_MESSAGES:
            yield message

    async def wait(self, service_id: int, timeout: float = BROKER_TIMEOUT) -> ConnInfo:
        """Return what the host announces under an id, now or within `timeout` seconds.

        Raises:
            Unavailable: It announced nothing in that time.
        """
        try:
            return await asyncio.wait_for(self._announced(service_id), timeout)
        except asyncio.TimeoutError:
            raise never_announced(service_id, timeout) from None

    async def _announced(self, service_id: int) -> ConnInfo:
        while (info := self._announcements.take(service_id)) is None:
            self._changed.clear()
            await self._changed.wait()
        return info

    def _count(self, change: int) -> None:
        self._streams += change
        self._on_streams_change(self._streams)
