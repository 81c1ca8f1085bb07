"""Calls of one request and one response on an event loop."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from mattermost_plugin._grpc.aio.waiters import UnaryWaiter
from mattermost_plugin._grpc.client_calls import CANCELLED, call_headers, single_response
from mattermost_plugin._grpc.status import Metadata, RpcError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mattermost_plugin._grpc.aio.channel import Channel

__all__ = ["UnaryMethod"]


class UnaryMethod:
    """Calls a method of one request and one response."""

    def __init__(
        self,
        channel: Channel,
        path: str,
        serialize: Callable[[Any], bytes],
        deserialize: Callable[[bytes], Any],
        failed: Callable[..., Exception] | None,
    ) -> None:
        self._channel = channel
        self._template = channel.template(path)
        self._serialize = serialize
        self._deserialize = deserialize
        self._failed = failed

    async def __call__(self, request: Any, *, timeout: float | None = None, metadata: Metadata = ()) -> Any:
        """Call the method."""
        # All in one coroutine: each further one would be entered and left for every call.
        message = self._serialize(request)
        deadline = None if timeout is None else time.monotonic() + timeout
        template, extra = self._template, b""
        if timeout is not None or metadata:
            template, extra = call_headers(template, timeout, metadata)
        again = True
        try:
            while True:
                transport = self._channel.ready_transport()
                if transport is None:
                    transport = await self._channel.acquire(deadline)
                stream = transport.core.request(template, message, extra)
                waiter = UnaryWaiter(transport, stream, deadline)
                transport.written()
                try:
                    while stream.status is None:
                        await waiter.wait_for_news()
                except BaseException:  # in a `finally`, mypyc takes `status` for what it is behind the loop
                    if stream.status is None:
                        waiter.cancel(CANCELLED)
                    stream.owner = None
                    raise
                stream.owner = None  # no cycle of the two is left for Python to search for
                if stream.refused and again:
                    again = False
                    continue
                return self._deserialize(single_response(stream, deadline))
        except RpcError as error:
            if self._failed is None:
                raise
            raise self._failed(error, timeout=timeout) from None
