"""Calls on an event loop, one class per shape."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Any

from mattermost_plugin._grpc.calls import DEADLINE_EXCEEDED
from mattermost_plugin._grpc.client_calls import CANCELLED, call_headers, failure, single_response
from mattermost_plugin._grpc.status import Metadata, RpcError, Status, StatusCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self

    from mattermost_plugin._grpc.aio.channel import Channel, ClientTransport
    from mattermost_plugin._grpc.metadata import MetadataItems
    from mattermost_plugin._grpc.streams import Stream

__all__ = ["StreamCall", "StreamMethod", "StreamUnaryMethod", "UnaryMethod"]


class _Waiter:
    """Waits for a stream's news and for room to send."""

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

    async def wait_for_news(self) -> None:
        self.news = future = self.transport.loop.create_future()
        await future

    async def wait_for_room(self) -> None:
        self.stream.wants_room = True
        self.room = future = self.transport.loop.create_future()
        await future

    def on_news(self) -> None:
        _wake(self.news)

    def on_room(self) -> None:
        _wake(self.room)

    def on_deadline(self) -> None:
        self.cancel(DEADLINE_EXCEEDED)

    def cancel(self, status: Status) -> None:
        if not self.stream.closed:
            self.transport.core.cancel(self.stream, status)
            self.transport.flush_soon()
        self.on_news()
        self.on_room()


class _UnaryWaiter(_Waiter):
    """Waits for a stream's end."""

    __slots__ = ()

    def on_news(self) -> None:
        if self.stream.status is not None:
            _wake(self.news)


def _wake(future: asyncio.Future[None] | None) -> None:
    if future is not None and not future.done():
        future.set_result(None)


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


class UnaryMethod(_Method):
    """Calls a method of one request and one response."""

    def __init__(
        self,
        channel: Channel,
        path: str,
        serialize: Callable[[Any], bytes],
        deserialize: Callable[[bytes], Any],
        failed: Callable[..., Exception] | None,
    ) -> None:
        super().__init__(channel, path, serialize, deserialize)
        self._failed = failed

    async def __call__(self, request: Any, *, timeout: float | None = None, metadata: Metadata = ()) -> Any:
        """Call the method."""
        # All in one coroutine: each further one would be entered and left for every call.
        message = self.serialize(request)
        deadline = None if timeout is None else time.monotonic() + timeout
        template, extra = self.template, b""
        if timeout is not None or metadata:
            template, extra = call_headers(template, timeout, metadata)
        again = True
        try:
            while True:
                transport = self.channel.ready_transport()
                if transport is None:
                    transport = await acquire(self.channel, deadline)
                stream = transport.core.request(template, message, extra)
                waiter = _UnaryWaiter(transport, stream, deadline)
                transport.written()
                try:
                    while stream.status is None:
                        waiter.news = news = transport.loop.create_future()
                        await news
                finally:
                    if stream.status is None:
                        waiter.cancel(CANCELLED)
                    stream.owner = None  # no cycle of the two is left for Python to search for
                if stream.refused and again:
                    again = False
                    continue
                return self.deserialize(single_response(stream, deadline))
        except RpcError as error:
            if self._failed is None:
                raise
            raise self._failed(error, timeout=timeout) from None


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
        self._waiter: _Waiter | None = None  # first, as `__del__` asks for it even if what follows fails
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
        if waiter is not None and not waiter.stream.closed:
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
        if self._waiter is not None:
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

    async def _begun(self) -> _Waiter:
        if self._waiter is None:
            if self._cancelled:
                raise RpcError(CANCELLED.code, CANCELLED.message)
            transport = self._method.channel.ready_transport() or await acquire(
                self._method.channel, self._deadline
            )
            if self._request_streams:
                stream = transport.core.open(self._template, self._extra)
                self._waiter = _Waiter(transport, stream, self._deadline)
                self._sender = asyncio.ensure_future(self._send_all(self._waiter))
            else:
                stream = transport.core.request(
                    self._template, self._method.serialize(self._request), self._extra
                )
                self._waiter = _Waiter(transport, stream, self._deadline)
            transport.written()
        return self._waiter

    async def _send_all(self, waiter: _Waiter) -> None:
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

    async def _send(self, waiter: _Waiter, request: Any) -> None:
        core, stream = waiter.transport.core, waiter.stream
        core.send_request(stream, self._method.serialize(request))
        waiter.transport.flush_soon()
        while not core.has_room(stream):
            await waiter.wait_for_room()


def _end(waiter: _Waiter, sender: asyncio.Task[None] | None) -> None:
    if sender is not None:
        sender.cancel()
    waiter.cancel(CANCELLED)


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
