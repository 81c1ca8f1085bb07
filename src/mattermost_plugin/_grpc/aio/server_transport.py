"""One connection of a server on an event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from mattermost_plugin._grpc import addresses
from mattermost_plugin._grpc.aio.server_calls import ServerCall
from mattermost_plugin._grpc.aio.transport import Transport
from mattermost_plugin._grpc.calls import ready_call
from mattermost_plugin._grpc.handlers import Kind
from mattermost_plugin._grpc.server import ServerConnection
from mattermost_plugin._grpc.status import Status, StatusCode

if TYPE_CHECKING:
    import asyncio

    from mattermost_plugin._grpc.addresses import Listener
    from mattermost_plugin._grpc.aio.server import Server
    from mattermost_plugin._grpc.streams import Stream

__all__ = ["ServerTransport"]


class ServerTransport(Transport[ServerConnection]):
    """One connection of a server."""

    def __init__(self, server: Server, loop: asyncio.AbstractEventLoop, listener: Listener) -> None:
        super().__init__(ServerConnection(server.options), loop)
        self.server = server
        self.peer = ""
        self._listener = listener
        self._handlers = server.handlers
        self.running: set[ServerCall] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Join the server's connections."""
        sock = transport.get_extra_info("socket")
        self.peer = "" if sock is None else addresses.describe_peer(sock)
        if sock is not None and not self._listener.accepts(sock):
            cast("asyncio.Transport", transport).abort()
            return
        self.server.connections.add(self)
        super().connection_made(transport)
        if self.server.stopping:
            self.core.shut_down()
            self.flush()

    def on_closed(self) -> None:
        """Leave the server's connections; handlers that still run are cancelled."""
        for call in list(self.running):
            call.cancel()
        self.server.connections.discard(self)
        self.server.connection_ended()

    def on_closing(self) -> None:
        """Close once the last call has ended."""
        super().on_closing()
        if self.core.drained:
            self.close()

    def on_news(self, stream: Stream) -> None:
        """Start a call that is ready, or tell the one that runs."""
        call: ServerCall | None = stream.owner
        if call is not None:
            call.on_news()
            return
        ready = ready_call(self.core, stream, self._handlers)
        if ready is None:
            return
        handler, message = ready
        stream.owner = call = ServerCall(self, stream, handler)
        if call.deadline is not None:
            self.watch_deadline(call.deadline)
        if handler.kind is Kind.UNARY_UNARY and message is not None:
            call.run_unary(message)
        else:
            call.run_streaming(message)

    def call_ended(self, call: ServerCall) -> None:
        """Write what a handler left, at once if no other runs."""
        self.running.discard(call)
        if self.core.streams:
            self.flush_soon()
        else:
            self.flush()
            if self.core.drained:
                self.close()

    def end_now(self) -> None:
        """Cancel all calls and close the connection."""
        for stream in list(self.core.streams.values()):
            self.core.finish(stream, Status(StatusCode.UNAVAILABLE, "the server is stopping"))
        for call in list(self.running):
            call.cancel()
        self.flush()
        self.close()
