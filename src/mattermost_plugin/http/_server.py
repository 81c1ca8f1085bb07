"""The HTTP server of a plugin: uvicorn on a Unix socket."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from mattermost_plugin._grpc.addresses import PeerCredentials, listening_unix, peer_credentials
from mattermost_plugin._runtime.handshake import SocketPath
from mattermost_plugin.http._extra import need
from mattermost_plugin.http._scope import HostScope, give_up

if TYPE_CHECKING:
    from collections.abc import Callable

    from mattermost_plugin._runtime.environment import Environment
    from mattermost_plugin.http._asgi import ASGIApp

__all__ = ["HTTPServer", "HTTPStartError"]

logger = logging.getLogger("mattermost_plugin.http")

# Seconds. The host closes idle connections after 30, so that none is closed here just when it is used.
_KEEP_ALIVE = 90

# Seconds that running requests may take once the plugin ends.
_GRACE = 1

# Seconds that an application has to notice that its client is gone: the host waits no longer for a response.
_NOTICE = 5


class HTTPStartError(Exception):
    """The application could not be started; its traceback is in the log."""


class HTTPServer:
    """Serves one application to the host."""

    def __init__(self, app: ASGIApp, plugin: object, environment: Environment) -> None:
        """Make the server; `start` starts it.

        Raises:
            ModuleNotFoundError: The extra `http` is not installed.
        """
        need("uvicorn")
        from uvicorn import Config, Server

        self._place = SocketPath(environment)
        self._config = Config(
            HostScope(app, plugin),
            interface="asgi3",
            log_config=None,
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=_GRACE,
        )
        self._server = Server(self._config)
        self._started = False

    @property
    def path(self) -> str:
        """Where the server listens."""
        return self._place.path

    async def start(self) -> None:
        """Run the application's startup and listen.

        Raises:
            HTTPStartError: The application's startup failed.
            OSError: The socket cannot be made.
        """
        # uvicorn's own startup() ends the process when the application's fails, and its main loop wakes up
        # ten times a second for what is not needed here.
        config, server = self._config, self._server
        config.load()
        server.lifespan = config.lifespan_class(config)
        await server.lifespan.startup()
        if server.lifespan.should_exit:
            self._place.close()
            raise HTTPStartError("the HTTP application's startup failed; the log says why")
        protocol = _guarded(self._place.accepts, config.http_protocol_class)
        listener = listening_unix(self._place.path)
        self._place.open_to_group()

        def connection() -> asyncio.Protocol:
            made: asyncio.Protocol = protocol(
                config=config, server_state=server.server_state, app_state=server.lifespan.state
            )
            return made

        listening = await asyncio.get_running_loop().create_unix_server(connection, sock=listener)
        server.servers = [listening]
        server.started = self._started = True

    async def stop(self) -> None:
        """Let running requests end, run the application's shutdown and remove the socket."""
        if self._started:
            self._started = False
            await self._server.shutdown()
        self._place.close()


def _guarded(accepts: Callable[[PeerCredentials], bool], protocol: Any) -> Any:
    """Return uvicorn's protocol for connections of processes that are accepted, which leaves nothing behind.

    Uvicorn lets an application work for ever on a request whose connection is lost.
    """

    class Guarded(protocol):  # type: ignore[misc] # which class it is depends on what is installed
        _refused = False

        def connection_made(self, transport: Any) -> None:
            peer = peer_credentials(transport.get_extra_info("socket"))
            if not accepts(peer):
                logger.warning("Refused an HTTP connection of user %d", peer.uid)
                self._refused = True
                transport.abort()
                return
            super().connection_made(transport)

        def data_received(self, data: bytes) -> None:
            if not self._refused:
                super().data_received(data)

        def connection_lost(self, error: Exception | None) -> None:
            if self._refused:
                return
            super().connection_lost(error)
            cycle = getattr(self, "cycle", None)  # the request that was served last
            if cycle is not None and not cycle.response_complete:
                asyncio.get_running_loop().call_later(_NOTICE, give_up, cycle.scope)

    return Guarded
