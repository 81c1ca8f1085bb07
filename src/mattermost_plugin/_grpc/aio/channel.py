"""A gRPC client on an event loop: one connection that all calls share."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, cast

from mattermost_plugin import _forks
from mattermost_plugin._grpc import addresses
from mattermost_plugin._grpc.addresses import Target
from mattermost_plugin._grpc.aio.client_transport import ClientTransport
from mattermost_plugin._grpc.calls import DEADLINE_EXCEEDED
from mattermost_plugin._grpc.client import request_template
from mattermost_plugin._grpc.options import Options
from mattermost_plugin._grpc.status import ForkedError, RpcError, StatusCode

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable

    from mattermost_plugin._grpc.aio.client_calls import StreamCall
    from mattermost_plugin._grpc.header_encoder import RequestTemplate

__all__ = ["Channel"]


class Channel:
    """Calls methods of a server.

    The connection is made at the first call, and made anew at the next call after it was lost.

    Args:
        target: "unix:/path" or "host:port".
        ssl_context: for TLS; None: none.
        options: limits and settings.

    Attributes:
        forked: whether this is a copy in a forked child, where every call fails with `ForkedError`.
    """

    def __init__(
        self, target: str, *, ssl_context: ssl.SSLContext | None = None, options: Options | None = None
    ) -> None:
        self.target = Target.parse(target)
        self.options = options or Options()
        self.ssl_context = ssl_context
        if ssl_context is not None:
            ssl_context.set_alpn_protocols(["h2"])
        self._transport: ClientTransport | None = None
        self._connecting: asyncio.Task[ClientTransport] | None = None
        self._closed = False
        self.forked = False
        _forks.add(self)

    def after_fork(self) -> None:
        """Refuse calls in a forked child, and forget the parent's connection there."""
        self.forked = True
        self._transport = self._connecting = None

    def template(self, path: str) -> RequestTemplate:
        """Return the header fields that all calls of a method share."""
        return request_template(path, self.target.authority, self.options, tls=self.ssl_context is not None)

    def unary_unary(
        self,
        path: str,
        serialize: Callable[[Any], bytes],
        deserialize: Callable[[bytes], Any],
        failed: Callable[..., Exception] | None = None,
    ) -> Callable[..., Any]:
        """Return a coroutine function (request, *, timeout=None, metadata=()) -> response.

        If the call ends with a status other than OK it raises RpcError, or what `failed` (error, timeout=...)
        returns.
        """
        from mattermost_plugin._grpc.aio.unary_calls import UnaryMethod

        return UnaryMethod(self, path, serialize, deserialize, failed)

    def unary_stream(
        self, path: str, serialize: Callable[[Any], bytes], deserialize: Callable[[bytes], Any]
    ) -> Callable[..., StreamCall]:
        """Return a function (request, *, timeout=None, metadata=()) -> async iterator of responses."""
        from mattermost_plugin._grpc.aio.client_calls import StreamMethod

        return StreamMethod(self, path, serialize, deserialize, request_streams=False)

    def stream_unary(
        self, path: str, serialize: Callable[[Any], bytes], deserialize: Callable[[bytes], Any]
    ) -> Callable[..., Any]:
        """Return a coroutine function (requests, *, timeout=None, metadata=()) -> response.

        `requests` is an iterable or asynchronous iterable.
        """
        from mattermost_plugin._grpc.aio.client_calls import StreamUnaryMethod

        return StreamUnaryMethod(self, path, serialize, deserialize)

    def stream_stream(
        self, path: str, serialize: Callable[[Any], bytes], deserialize: Callable[[bytes], Any]
    ) -> Callable[..., StreamCall]:
        """Return a function (requests, *, timeout=None, metadata=()) -> async iterator of responses."""
        from mattermost_plugin._grpc.aio.client_calls import StreamMethod

        return StreamMethod(self, path, serialize, deserialize, request_streams=True)

    async def close(self) -> None:
        """Close the connection; calls that run end with UNAVAILABLE."""
        self._closed = True
        if self._connecting is not None:
            self._connecting.cancel()
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()
            await transport.wait_closed()

    def ready_transport(self) -> ClientTransport | None:
        """Return the connection if a call can begin on it now."""
        transport = self._transport
        if transport is not None and transport.transport is not None and transport.core.can_open:
            return transport
        return None

    async def acquire(self, deadline: float | None) -> ClientTransport:
        """Return a connection on which a call can begin, connecting or waiting for a place if need be.

        Args:
            deadline: of the call, by `time.monotonic()`; None: none.

        Raises:
            RpcError: UNAVAILABLE if there is no server, or the channel is closed; DEADLINE_EXCEEDED;
                ForkedError in a forked child.
        """
        if self.forked:
            raise ForkedError
        if deadline is None:
            return await self._acquire()
        try:
            while True:
                await asyncio.wait_for(self._acquire(), deadline - time.monotonic())
                # A turn of the loop may lie between, and the connection may be lost by now.
                transport = self.ready_transport()
                if transport is not None:
                    return transport
        except asyncio.TimeoutError:
            raise RpcError(DEADLINE_EXCEEDED.code, DEADLINE_EXCEEDED.message) from None

    async def _acquire(self) -> ClientTransport:
        while True:
            transport = self._transport
            if transport is None or transport.transport is None or not transport.core.usable:
                transport = await self._connect()
            if transport.core.can_open:
                return transport
            if transport.core.usable:
                waiter = transport.loop.create_future()
                transport.waiting.append(waiter)
                await waiter

    async def _connect(self) -> ClientTransport:
        if self._closed:
            raise RpcError(StatusCode.UNAVAILABLE, "the channel is closed")
        if self._connecting is None:
            self._connecting = asyncio.ensure_future(self._open())
        # Several calls may wait for it, and one that gives up must not take it from the others.
        try:
            return await asyncio.shield(self._connecting)
        except OSError as error:
            raise RpcError(
                StatusCode.UNAVAILABLE, f"cannot connect to {self.target.address}: {error}"
            ) from error

    async def _open(self) -> ClientTransport:
        loop = asyncio.get_running_loop()
        target = self.target
        transport = ClientTransport(self.options, loop)
        protocol = cast("asyncio.Protocol", transport)
        try:
            if isinstance(target.address, str):
                await loop.create_unix_connection(
                    lambda: protocol,
                    sock=await _connect_unix(target.address),
                    ssl=self.ssl_context,
                    server_hostname=target.authority if self.ssl_context else None,
                )
            else:
                host, port = target.address
                await loop.create_connection(lambda: protocol, host, int(port), ssl=self.ssl_context)
            self._transport = transport
            return transport
        finally:
            self._connecting = None


async def _connect_unix(path: str) -> socket.socket:
    # Event loops take a socket for connected whose server has no room for it now.
    while (sock := addresses.connect_unix(path)) is None:  # noqa: ASYNC110 - nobody tells when there is room
        await asyncio.sleep(addresses.AGAIN)
    return sock
