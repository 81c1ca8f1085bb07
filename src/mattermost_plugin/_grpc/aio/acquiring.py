"""Getting a connection for a call on an event loop."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from mattermost_plugin._grpc.calls import DEADLINE_EXCEEDED
from mattermost_plugin._grpc.status import RpcError

if TYPE_CHECKING:
    from mattermost_plugin._grpc.aio.channel import Channel
    from mattermost_plugin._grpc.aio.client_transport import ClientTransport

__all__ = ["acquire"]


async def acquire(channel: Channel, deadline: float | None) -> ClientTransport:
    """Return a connection on which a call can begin, within the call's deadline."""
    if deadline is None:
        return await channel.acquire()
    try:
        while True:
            await asyncio.wait_for(channel.acquire(), deadline - time.monotonic())
            # A turn of the loop may lie between, and the connection may be lost by now.
            transport = channel.ready_transport()
            if transport is not None:
                return transport
    except asyncio.TimeoutError:
        raise RpcError(DEADLINE_EXCEEDED.code, DEADLINE_EXCEEDED.message) from None
