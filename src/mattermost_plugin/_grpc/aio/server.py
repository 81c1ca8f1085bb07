"""A gRPC server on an event loop."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from typing import TYPE_CHECKING, cast

from mattermost_plugin._grpc import addresses
from mattermost_plugin._grpc.addresses import Listener
from mattermost_plugin._grpc.aio.server_transport import ServerTransport
from mattermost_plugin._grpc.options import Options

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

    from mattermost_plugin._grpc.addresses import PeerCredentials
    from mattermost_plugin._grpc.handlers import Handler

__all__ = ["Server"]


class Server:
    """Serves methods on an event loop.

    Args:
        handlers: by path, "/package.Service/Method".
        options: limits and settings.
        max_workers: not used: handlers are coroutines, or plain functions that run on the loop.
    """

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        *,
        options: Options | None = None,
        max_workers: int | None = None,
    ) -> None:
        self.handlers = dict(handlers)
        self.options = options or Options()
        self.connections: set[ServerTransport] = set()
        self.stopping = False
        self._listeners: list[Listener] = []
        self._servers: list[asyncio.Server] = []
        self._closed: asyncio.Event | None = None
        self._no_connections: asyncio.Future[None] | None = None

    def listen_unix(
        self,
        path: str,
        ssl_context: ssl.SSLContext | None = None,
        *,
        accept: Callable[[PeerCredentials], bool] | None = None,
    ) -> str:
        """Listen on a Unix socket that only this user may connect to, and return its path.

        The socket's file is removed when the server stops.

        Args:
            path: where; a socket that a process left behind is replaced.
            ssl_context: for TLS; None: none.
            accept: asked about each client; False closes its connection. None: all are accepted.
        """
        listener = addresses.listening_unix(path)
        self._add_listener(Listener(listener, ssl_context, accept, path))
        return path

    def listen_tcp(self, host: str, port: int, ssl_context: ssl.SSLContext | None = None) -> tuple[str, int]:
        """Listen on a TCP port, 0 for a free one, and return host and port."""
        listener = addresses.listening_tcp(host, port)
        self._add_listener(Listener(listener, ssl_context))
        name = listener.getsockname()
        return name[0], name[1]

    def _add_listener(self, listener: Listener) -> None:
        if listener.ssl_context is not None:
            listener.ssl_context.set_alpn_protocols(["h2"])
        self._listeners.append(listener)

    async def start(self) -> None:
        """Accept connections."""
        loop = asyncio.get_running_loop()
        self._closed = asyncio.Event()
        for listener in self._listeners:
            server = await loop.create_server(
                functools.partial(_protocol, self, loop, listener),
                sock=listener.socket,
                ssl=listener.ssl_context,
            )
            self._servers.append(server)

    async def serve_forever(self) -> None:
        """Start, and return once the server has stopped."""
        await self.start()
        await self.wait_closed()

    async def stop(self, grace: float | None = None) -> None:
        """Stop.

        Args:
            grace: seconds that running calls have to end; None cancels them at once.
        """
        self.stopping = True
        listeners, self._listeners = self._listeners, []
        # When asyncio's server is closed, it loses the connections that it has accepted and made no transport
        # for, and leaves them open. So accept no more first, and let them get one.
        for listener in listeners:
            asyncio.get_running_loop().remove_reader(listener.socket)
        await asyncio.sleep(0)
        for server in self._servers:
            server.close()
        for listener in listeners:
            listener.close()
        if grace:
            for connection in list(self.connections):
                connection.core.shut_down()
                connection.flush()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._all_closed(), grace)
        # A connection that was being accepted gets to its transport in the next turns of the loop.
        for _ in range(3):
            await asyncio.sleep(0)
        for connection in list(self.connections):
            connection.end_now()
        for connection in list(self.connections):
            await connection.wait_closed()
        if self._closed is not None:
            self._closed.set()

    async def wait_closed(self) -> None:
        """Wait until the server has stopped."""
        if self._closed is not None:
            await self._closed.wait()

    def connection_ended(self) -> None:
        """Hear that a connection is gone."""
        if self._no_connections is not None and not self.connections and not self._no_connections.done():
            self._no_connections.set_result(None)

    async def _all_closed(self) -> None:
        if self.connections:
            self._no_connections = asyncio.get_running_loop().create_future()
            await self._no_connections


def _protocol(server: Server, loop: asyncio.AbstractEventLoop, listener: Listener) -> asyncio.Protocol:
    return cast("asyncio.Protocol", ServerTransport(server, loop, listener))
