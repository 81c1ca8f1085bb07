"""The process of a `Plugin`: hooks on threads, the main thread waits for the end."""

from __future__ import annotations

import os
import threading
from functools import partial
from typing import TYPE_CHECKING

from mattermost_plugin._forks import Boundary
from mattermost_plugin._gen.hook_methods import HOOKS, IMPLEMENTED
from mattermost_plugin._grpc import Kind, RpcError, StatusCode
from mattermost_plugin._grpc.threads import Channel, Server
from mattermost_plugin._logger import get_logger
from mattermost_plugin._runtime import services, wire
from mattermost_plugin._runtime.broker import Broker, target_of
from mattermost_plugin._runtime.database import Database
from mattermost_plugin._runtime.dispatch import Dispatcher
from mattermost_plugin._runtime.ending import Ending
from mattermost_plugin._runtime.exit_watch import name_threads_soon
from mattermost_plugin._runtime.faces import ChannelTransport
from mattermost_plugin._runtime.handshake import SocketPath, announce
from mattermost_plugin._runtime.http_hooks import http_hooks
from mattermost_plugin._runtime.lifecycle import Lifecycle
from mattermost_plugin._runtime.memory import settle
from mattermost_plugin._runtime.signals import ignore_interrupts
from mattermost_plugin._runtime.timing import CALLS_GRACE, HOST_LOST_AFTER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mattermost_plugin._grpc import Handler
    from mattermost_plugin._grpc.threads import ServerCall
    from mattermost_plugin._runtime.environment import Environment
    from mattermost_plugin._runtime.tls import Identity
    from mattermost_plugin.http._serving import HTTPServers
    from mattermost_plugin.plugin import Plugin

__all__ = ["ThreadsRuntime"]

logger = get_logger("mattermost_plugin")


# Hooks that may run at once. Threads are made when they are needed; the limit is for runaway hosts, and far
# enough away that slow hooks do not keep the host's health checks waiting.
MAX_WORKERS = 256


class ThreadsRuntime:
    """Serves one plugin to one host, from the handshake to the end of the process."""

    def __init__(self, plugin: Plugin, environment: Environment) -> None:
        self._plugin = plugin
        self._environment = environment
        self._identity: Identity | None = None
        self._transport: ChannelTransport | None = None
        self._ending = Ending()
        self._host_seen = False
        self._shutting_down = threading.Event()
        self._lost: threading.Timer | None = None
        self._lost_lock = threading.Lock()
        self._broker = Broker(self._streams_changed)
        self._dispatcher = Dispatcher(plugin)
        self._implemented = plugin._hooks
        self._http_hooks = http_hooks(plugin)
        self._http: HTTPServers | None = None
        self._lifecycle = Lifecycle(
            self._dispatcher,
            HOOKS,
            frozenset(method.name for method in self._implemented),
            self._connect,
            activated=self._start_http,
            deactivating=self._stop_http,
        )

    def serve(self) -> None:
        """Serve until the host or a signal ends the plugin."""
        parent = os.getppid()
        if self._environment.client_certificate:
            from mattermost_plugin._runtime.tls import Identity

            self._identity = Identity(self._environment.client_certificate)
        place = SocketPath(self._environment)
        server = Server(self.handlers(), max_workers=MAX_WORKERS)
        try:
            context = self._identity.server_context() if self._identity else None
            server.listen_unix(place.path, context, accept=place.accepts)
            place.open_to_group()
            server.start()
            self._ending.on_sigterm()
            ignore_interrupts()
            announce(place.path, self._identity.certificate_field if self._identity else "")
            self._warm()
            reason = self._wait(parent)
            logger.debug("The plugin ends: %s", reason)
            name_threads_soon()
            self._shutting_down.set()
            self._lifecycle.end()
            server.stop(CALLS_GRACE)
        finally:
            if self._transport is not None:
                self._transport.close()
            if self._plugin._database is not None:
                self._plugin._database.close()
            self._dispatcher.close()
            place.close()
            self._ending.close()

    def handlers(self) -> dict[str, Handler]:
        """Return every method the plugin serves, by path."""
        unary = Kind.UNARY_UNARY
        handlers = {
            services.HEALTH_CHECK: services.raw(unary, self._health_check),
            services.HEALTH_WATCH: services.raw(Kind.UNARY_STREAM, self._health_watch),
            services.BROKER: services.raw(Kind.STREAM_STREAM, self._broker.start_stream),
            services.CONTROLLER: services.raw(unary, self._shutdown),
            services.STDIO: services.raw(Kind.UNARY_STREAM, self._stdio),
            IMPLEMENTED.path: services.raw(unary, self._names),
        }
        for method in self._implemented:
            kind = Kind[method.kind.upper()]
            handlers[method.path] = services.raw(kind, self._dispatcher.handler(method))
        for attribute, method in self._http_hooks.items():
            handlers[method.path] = services.raw(unary, partial(self._http_address, attribute))
        handlers[HOOKS["on_activate"].path] = services.raw(unary, self._lifecycle.on_activate)
        handlers[HOOKS["on_deactivate"].path] = services.raw(unary, self._lifecycle.on_deactivate)
        return handlers

    def _connect(self, api_id: int, driver_id: int) -> None:
        if driver_id:
            context_of = self._identity.client_context if self._identity else None
            self._plugin._database = Database(target_of(self._broker.wait(driver_id)), context_of)
        if not api_id:
            return
        from mattermost_plugin.api import API

        target = target_of(self._broker.wait(api_id))
        context = self._identity.client_context() if self._identity else None
        if self._transport is not None:
            self._transport.close()
        self._transport = ChannelTransport(Channel(target, ssl_context=context))
        self._plugin._api = API(self._transport)

    def _start_http(self) -> None:
        if not self._http_hooks:
            return
        from mattermost_plugin.http._serving import HTTPServers

        self._http = HTTPServers(self._plugin, self._environment, tuple(self._http_hooks))
        self._dispatcher.loop.run(self._http.start(), None)

    def _stop_http(self) -> None:
        if self._http is not None:
            self._dispatcher.loop.run(self._http.stop(), None)

    def _http_address(self, attribute: str, _request: bytes, _call: ServerCall) -> bytes:
        return self._http.address(attribute) if self._http is not None else b""

    def _warm(self) -> None:
        """Load what the hooks need while the host reads the handshake, not when the first one is called."""
        import mattermost_plugin.api._sync  # noqa: F401

        for method in (IMPLEMENTED, HOOKS["on_activate"], *self._implemented):
            _ = method.codec
        if self._plugin.collect_less_often:
            settle()

    def _wait(self, parent: int) -> str:
        boundary = Boundary()  # a handler that the author has set for a signal runs while this waits
        while True:
            with boundary:
                reason = self._ending.wait(None if self._host_seen else 1.0)
            if reason is not None:
                return reason
            if os.getppid() != parent:
                return "the host is gone"

    def _streams_changed(self, streams: int) -> None:
        with self._lost_lock:
            if self._lost is not None:
                self._lost.cancel()
                self._lost = None
            if streams:
                self._host_seen = True
            elif not self._shutting_down.is_set():
                self._lost = threading.Timer(HOST_LOST_AFTER, self._ending.tell, ("the host is gone",))
                self._lost.daemon = True
                self._lost.start()

    def _names(self, _request: bytes, _call: ServerCall) -> bytes:
        implemented = (*self._implemented, *self._http_hooks.values())
        return IMPLEMENTED.codec.encode_response([method.go_name for method in implemented])

    def _shutdown(self, _request: bytes, _call: ServerCall) -> bytes:
        self._shutting_down.set()
        self._lifecycle.end()
        self._ending.tell("the host asked for it")
        return wire.EMPTY

    def _health_check(self, request: bytes, _call: ServerCall) -> bytes:
        status = services.health_status(request, serving=not self._shutting_down.is_set())
        if status is None:
            raise RpcError(StatusCode.NOT_FOUND, "no such service")
        return status

    def _health_watch(self, request: bytes, call: ServerCall) -> Iterator[bytes]:
        yield services.health_status(request, serving=True) or wire.SERVICE_UNKNOWN
        while call.is_active():
            if self._shutting_down.wait(1.0):
                yield services.health_status(request, serving=False) or wire.SERVICE_UNKNOWN
                return

    def _stdio(self, _request: bytes, _call: ServerCall) -> Iterator[bytes]:
        # What is printed goes to the log; there is no other output to send.
        yield from wire.NO_MESSAGES
