"""The HTTP servers of a plugin process: which there are, and the hooks that tell the host where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mattermost_plugin.http._app import application
from mattermost_plugin.http._server import HTTPServer

if TYPE_CHECKING:
    from mattermost_plugin._runtime.environment import Environment

__all__ = ["HTTPServers"]


class HTTPServers:
    """One server for each of the attributes `http` and `metrics` that a plugin has."""

    def __init__(self, plugin: object, environment: Environment, attributes: tuple[str, ...]) -> None:
        self._plugin = plugin
        self._environment = environment
        self._attributes = attributes
        self._servers: dict[str, HTTPServer] = {}

    async def start(self) -> None:
        """Start all.

        Raises:
            Exception: What `application` and `HTTPServer` raise; nothing runs then.
        """
        try:
            for attribute in self._attributes:
                app = application(self._plugin, attribute)
                server = HTTPServer(app, self._plugin, self._environment)
                self._servers[attribute] = server
                await server.start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop those that run, the last one first."""
        while self._servers:
            _, server = self._servers.popitem()
            await server.stop()

    def address(self, attribute: str) -> bytes:
        """Return the `ServeHTTPResponse` (or `ServeMetricsResponse`) for an attribute."""
        server = self._servers.get(attribute)
        if server is None:
            return b""
        # 1 network: string, 2 address: string. A socket's path has at most 103 bytes.
        path = server.path.encode()
        return b"\x0a\x04unix\x12" + bytes([len(path)]) + path
