"""Calls with streams on an event loop, one class per shape."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Any

from mattermost_plugin._grpc.aio.waiters import Waiter
from mattermost_plugin._grpc.client_calls import CANCELLED, call_headers, failure, single_response
from mattermost_plugin._grpc.status import ForkedError, Metadata, RpcError, StatusCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self

    from mattermost_plugin._grpc.aio.channel import Channel
    from mattermost_plugin._grpc.metadata import MetadataItems
    from mattermost_plugin._grpc.streams import Stream

__all__ = ["StreamCall", "StreamMethod", "StreamUnaryMethod"]


class _Method:
    def __init__(
        self,
        channel: Channel,
        path: str,
        serialize: Callable[[Any], bytes],
        deserialize: Callable[[bytes], Any],
    ) -> None:
        self.channel = channel
        self.template = channel.template(path)
        self.serialize = serialize
        self.deserialize = deserialize


class StreamUnaryMethod(_Method):
    """Calls a method of any number of requests and one response."""

    async def __call__(self, requests: Any, *, timeout: float | None = None, metadata: Metadata = ()) -> Any:
        """Call the method."""
        call = StreamCall(self, requests, request_streams=True, timeout=timeout, metadata=metadata)
        try:
            return self.deserialize(await call.single())
        finally:
            call.cancel()


class StreamMethod(_Method):
    """Calls a method of any number of responses."""

    def __init__(
        self,
        channel: Channel,
        path: str,
        serialize: Callable[[Any], bytes],
        deserialize: Callable[[bytes], Any],
        *,
        request_streams: bool,
    ) -> None:
        super().__init__(channel, path, serialize, deserialize)
        self._request_streams = request_streams

    def __call__(self, request: Any, *, timeout: float | None = None, metadata: Metadata = ()) -> StreamCall:
        """Return the call, which begins when its first response is asked for."""
        return StreamCall(
            self, request, request_streams=self._request_streams, timeout=timeout, metadata=metadata
        )


class StreamCall:
    """An asynchronous iterator of responses.

    `async with` ends the call with the block, whether or not all responses were taken.
    """

    def __init__(
        self,
        method: _Method,
        request: Any,
        *,
        request_streams: bool,
        timeout: float | None,
        metadata: Metadata,
    ) -> None:
        self._waiter: Waiter | None = None  # first, as `__del__` asks for it even if what follows fails
        self._method = method
        self._request = request
        self._request_streams = request_streams
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._template, self._extra = call_headers(method.template, timeout, metadata)
        self._sender: asyncio.Task[None] | None = None
        self._failed: BaseException | None = None
        self._cancelled = False

    def __aiter__(self) -> StreamCall:
        return self

    async def __anext__(self) -> Any:
        waiter = await self._begun()
        stream = waiter.stream
        while not stream.messages:
            if stream.status is not None:
                if self._sender is None:  # who would have to hear of room
                    stream.owner = None
                self._raise_failure(stream)
                raise StopAsyncIteration
            await waiter.wait_for_news()
        core = waiter.transport.core
        message = core.take(stream)
        if core.has_output:
            waiter.transport.flush_soon()
        return self._method.deserialize(message)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.cancel()

    def __del__(self) -> None:
        # Responses that nobody will take must not hold the stream open. Python may come here in the midst of
        # anything, the connection's own doing too, and on any thread.
        waiter = self._waiter
        if waiter is not None and not waiter.stream.closed and not self._method.channel.forked:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                waiter.transport.loop.call_soon_threadsafe(_end, waiter, self._sender)

    async def initial_metadata(self) -> MetadataItems:
        """Return the metadata that the server sends before its first message.

        Raises:
            RpcError: the call ended before.
        """
        waiter = await self._begun()
        while waiter.stream.response is None:
            if waiter.stream.status is not None:
                self._raise_failure(waiter.stream)
                return ()
            await waiter.wait_for_news()
        return waiter.stream.response.metadata

    async def trailing_metadata(self) -> MetadataItems:
        """Return the metadata that the server sends with the status, waiting for the call's end."""
        waiter = await self._begun()
        while waiter.stream.status is None:
            await waiter.wait_for_news()
        return waiter.stream.status.metadata

    def cancel(self) -> None:
        """End the call; whoever waits for it gets CANCELLED. Does nothing if it has ended."""
        self._cancelled = True
        if self._waiter is not None and not self._method.channel.forked:
            _end(self._waiter, self._sender)

    async def single(self) -> bytes:
        """Return the only response."""
        waiter = await self._begun()
        while waiter.stream.status is None:
            await waiter.wait_for_news()
        self._raise_failure(waiter.stream)
        return single_response(waiter.stream, self._deadline)

    def _raise_failure(self, stream: Stream) -> None:
        if self._failed is not None:
            raise self._failed
        if stream.status is not None and stream.status.code is not StatusCode.OK:
            raise failure(stream, self._deadline)

    async def _begun(self) -> Waiter:
        if self._method.channel.forked:
            raise ForkedError
        if self._waiter is None:
            if self._cancelled:
                raise RpcError(CANCELLED.code, CANCELLED.message)
            channel = self._method.channel
            transport = channel.ready_transport() or await channel.acquire(self._deadline)
            if self._request_streams:
                stream = transport.core.open(self._template, self._extra)
                self._waiter = Waiter(transport, stream, self._deadline)
                self._sender = asyncio.ensure_future(self._send_all(self._waiter))
            else:
                stream = transport.core.request(
                    self._template, self._method.serialize(self._request), self._extra
                )
                self._waiter = Waiter(transport, stream, self._deadline)
            transport.written()
        return self._waiter

    async def _send_all(self, waiter: Waiter) -> None:
        try:
            # A request that nobody takes any more is not asked for either: it may be without end.
            if hasattr(self._request, "__aiter__"):
                async for request in self._request:
                    await self._send(waiter, request)
                    if waiter.stream.local_closed:
                        return
            else:
                for request in self._request:
                    await self._send(waiter, request)
                    if waiter.stream.local_closed:
                        return
            waiter.transport.core.half_close(waiter.stream)
            waiter.transport.flush_soon()
        except Exception as error:  # noqa: BLE001 - raised where the responses are taken
            self._failed = error
            waiter.cancel(CANCELLED)

    async def _send(self, waiter: Waiter, request: Any) -> None:
        core, stream = waiter.transport.core, waiter.stream
        core.send_request(stream, self._method.serialize(request))
        waiter.transport.flush_soon()
        while not core.has_room(stream):
            await waiter.wait_for_room()


def _end(waiter: Waiter, sender: asyncio.Task[None] | None) -> None:
    if sender is not None:
        sender.cancel()
    waiter.cancel(CANCELLED)
