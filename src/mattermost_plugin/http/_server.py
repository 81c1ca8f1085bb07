"""The HTTP server of a plugin: uvicorn on a Unix socket."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from mattermost_plugin._grpc.addresses import listening_unix
from mattermost_plugin._runtime.handshake import SocketPath
from mattermost_plugin.http._connection import Guard, guarded
from mattermost_plugin.http._extra import need
from mattermost_plugin.http._scope import HostScope

if TYPE_CHECKING:
    from mattermost_plugin._runtime.environment import Environment
    from mattermost_plugin.http._asgi import ASGIApp, Scope

__all__ = ["HTTPServer", "HTTPStartError"]

# Seconds. The host closes idle connections after 30, so that none is closed here just when it is used.
_KEEP_ALIVE = 90

# Seconds that running requests may take once the plugin ends.
_GRACE = 1


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
        self._app = HostScope(app, plugin, self._break_off)
        self._config = Config(
            self._app,
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
        protocol = guarded(self._place.accepts, config.http_protocol_class)
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
        """Have running requests end, run the application's shutdown and remove the socket.

        Requests and WebSockets hear that the plugin ends, and are broken off if that is not enough.
        """
        if self._started:
            self._started = False
            for listening in self._server.servers:
                listening.close()
            self._app.close()
            for connection in self._requests():
                connection.shutdown()  # type: ignore[attr-defined] # uvicorn's: no further request
                if connection.cycle is not None:
                    connection.cycle.message_event.set()  # wakes who waits for the client
            if not await self._ended():
                self._app.give_up()
                await self._ended()
            await self._server.shutdown()
        self._place.close()

    async def _ended(self) -> bool:
        """Wait a moment for what runs; whether nothing does any more."""
        running = set(self._server.server_state.tasks)
        if not running:
            return True
        _, still = await asyncio.wait(running, timeout=_GRACE)
        return not still

    def _break_off(self, scope: Scope) -> None:
        for connection in self._requests():
            if connection.cycle is not None and connection.cycle.scope is scope:
                connection.break_off()

    def _requests(self) -> list[Guard]:
        connections = list(self._server.server_state.connections)
        return [connection for connection in connections if isinstance(connection, Guard)]
