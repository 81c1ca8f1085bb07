"""The process of an `AsyncPlugin`: one event loop, from the handshake to the end."""

from __future__ import annotations

import asyncio
import os
import signal
from functools import partial
from typing import TYPE_CHECKING

from mattermost_plugin._forks import Boundary, LoopGuard
from mattermost_plugin._gen.hook_methods import HOOKS, IMPLEMENTED
from mattermost_plugin._grpc import Kind, RpcError, StatusCode
from mattermost_plugin._grpc.aio import Channel, Server
from mattermost_plugin._logger import get_logger
from mattermost_plugin._runtime import services, wire
from mattermost_plugin._runtime.broker import target_of
from mattermost_plugin._runtime.broker_async import AsyncBroker
from mattermost_plugin._runtime.database import Database
from mattermost_plugin._runtime.dispatch_async import AsyncDispatcher
from mattermost_plugin._runtime.exit_watch import name_threads_soon
from mattermost_plugin._runtime.faces_async import AsyncChannelTransport
from mattermost_plugin._runtime.handshake import SocketPath, announce
from mattermost_plugin._runtime.http_hooks import http_hooks
from mattermost_plugin._runtime.lifecycle_async import AsyncLifecycle
from mattermost_plugin._runtime.loop_thread import new_event_loop
from mattermost_plugin._runtime.loop_watch import watch_loop
from mattermost_plugin._runtime.memory import settle
from mattermost_plugin._runtime.signals import ignore_interrupts, was_set
from mattermost_plugin._runtime.timing import CALLS_GRACE, HOST_LOST_AFTER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from mattermost_plugin._grpc import Handler
    from mattermost_plugin._grpc.aio import ServerCall
    from mattermost_plugin._runtime.environment import Environment
    from mattermost_plugin._runtime.loop_watch import LoopWatch
    from mattermost_plugin._runtime.tls import Identity
    from mattermost_plugin.http._serving import HTTPServers
    from mattermost_plugin.plugin import AsyncPlugin

__all__ = ["AsyncRuntime", "serve"]

logger = get_logger("mattermost_plugin")


def serve(plugin_class: type[AsyncPlugin], environment: Environment) -> None:
    """Make the plugin inside a new event loop and serve it until its end."""
    loop = new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        with Boundary():
            loop.run_until_complete(_serve(plugin_class, environment))
        loop.run_until_complete(_cancel_rest())
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        asyncio.set_event_loop(None)
        loop.close()


async def _serve(plugin_class: type[AsyncPlugin], environment: Environment) -> None:
    guard = LoopGuard(asyncio.get_running_loop())
    # The instance is made inside the loop, so that its __init__ may make what belongs to one.
    await AsyncRuntime(plugin_class(), environment).serve()
    del guard  # it had to live until here


async def _cancel_rest() -> None:
    """Cancel the tasks the plugin left behind."""
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=CALLS_GRACE)


class AsyncRuntime:
    """Serves one plugin to one host, from the handshake to the end of the process."""

    def __init__(self, plugin: AsyncPlugin, environment: Environment) -> None:
        self._plugin = plugin
        self._environment = environment
        self._identity: Identity | None = None
        self._transport: AsyncChannelTransport | None = None
        self._loop = asyncio.get_running_loop()
        self._ending: asyncio.Future[str] = self._loop.create_future()
        self._shutting_down = asyncio.Event()
        self.loop_watch: LoopWatch | None = None
        self._host_seen = False
        self._lost: asyncio.TimerHandle | None = None
        self._broker = AsyncBroker(self._streams_changed)
        self._dispatcher = AsyncDispatcher(plugin)
        self._implemented = plugin._hooks
        self._http_hooks = http_hooks(plugin)
        self._http: HTTPServers | None = None
        self._lifecycle = AsyncLifecycle(
            self._dispatcher,
            HOOKS,
            frozenset(method.name for method in self._implemented),
            self._connect,
            activated=self._start_http,
            deactivating=self._stop_http,
        )

    async def serve(self) -> None:
        """Serve until the host or a signal ends the plugin."""
        watch = watch_loop(self._loop, self._plugin.loop_blocked_after, None, "of the plugin")
        self.loop_watch = watch
        # Asked before the handshake: a host that dies later cannot have been replaced by another process yet.
        parent = os.getppid()
        if self._environment.client_certificate:
            from mattermost_plugin._runtime.tls import Identity

            self._identity = Identity(self._environment.client_certificate)
        place = SocketPath(self._environment)
        server = Server(self.handlers())
        try:
            context = self._identity.server_context() if self._identity else None
            server.listen_unix(place.path, context, accept=place.accepts)
            place.open_to_group()
            await server.start()
            self._loop.add_signal_handler(signal.SIGTERM, self._end, "SIGTERM")
            was_set(signal.SIGTERM)
            ignore_interrupts()
            announce(place.path, self._identity.certificate_field if self._identity else "")
            self._watch_parent(parent)
            self._warm()
            reason = await self._ending
            logger.debug("The plugin ends: %s", reason)
            name_threads_soon()
            self._shutting_down.set()
            await self._lifecycle.end()
            await server.stop(CALLS_GRACE)
        finally:
            if watch is not None:
                watch.stop()
            if self._transport is not None:
                await self._transport.close()
            if self._plugin._database is not None:
                self._plugin._database.close()
            place.close()

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

    async def _connect(self, api_id: int, driver_id: int) -> None:
        if driver_id:
            context_of = self._identity.client_context if self._identity else None
            self._plugin._database = Database(target_of(await self._broker.wait(driver_id)), context_of)
        if not api_id:
            return
        from mattermost_plugin._runtime.faces_blocking import LoopTransport
        from mattermost_plugin.api import AsyncAPI

        target = target_of(await self._broker.wait(api_id))
        context = self._identity.client_context() if self._identity else None
        if self._transport is not None:
            await self._transport.close()
        self._transport = AsyncChannelTransport(Channel(target, ssl_context=context))
        self._plugin._api = AsyncAPI(self._transport)
        self._plugin._blocking = LoopTransport(self._transport, self._loop)

    async def _start_http(self) -> None:
        if not self._http_hooks:
            return
        from mattermost_plugin.http._serving import HTTPServers

        self._http = HTTPServers(self._plugin, self._environment, tuple(self._http_hooks))
        await self._http.start()

    async def _stop_http(self) -> None:
        if self._http is not None:
            await self._http.stop()

    async def _http_address(self, attribute: str, _request: bytes, _call: ServerCall) -> bytes:
        return self._http.address(attribute) if self._http is not None else b""

    def _warm(self) -> None:
        """Load what the hooks need while the host reads the handshake, not when the first one is called."""
        import mattermost_plugin.api._async  # noqa: F401

        for method in (IMPLEMENTED, HOOKS["on_activate"], *self._implemented):
            _ = method.codec
        if self._plugin.collect_less_often:
            settle()

    def _end(self, reason: str) -> None:
        if not self._ending.done():
            self._ending.set_result(reason)

    def _watch_parent(self, parent: int) -> None:
        """Notice a host that dies before it opens the broker's stream."""
        if self._host_seen:
            return
        if os.getppid() != parent:
            self._end("the host is gone")
            return
        self._loop.call_later(1.0, self._watch_parent, parent)

    def _streams_changed(self, streams: int) -> None:
        if self._lost is not None:
            self._lost.cancel()
            self._lost = None
        if streams:
            self._host_seen = True
        elif not self._shutting_down.is_set():
            self._lost = self._loop.call_later(HOST_LOST_AFTER, self._end, "the host is gone")

    async def _names(self, _request: bytes, _call: ServerCall) -> bytes:
        implemented = (*self._implemented, *self._http_hooks.values())
        return IMPLEMENTED.codec.encode_response([method.go_name for method in implemented])

    async def _shutdown(self, _request: bytes, _call: ServerCall) -> bytes:
        self._shutting_down.set()
        await self._lifecycle.end()
        self._end("the host asked for it")
        return wire.EMPTY

    async def _health_check(self, request: bytes, _call: ServerCall) -> bytes:
        status = services.health_status(request, serving=not self._shutting_down.is_set())
        if status is None:
            raise RpcError(StatusCode.NOT_FOUND, "no such service")
        return status

    async def _health_watch(self, request: bytes, _call: ServerCall) -> AsyncIterator[bytes]:
        yield (
            services.health_status(request, serving=not self._shutting_down.is_set()) or wire.SERVICE_UNKNOWN
        )
        await self._shutting_down.wait()
        yield services.health_status(request, serving=False) or wire.SERVICE_UNKNOWN

    async def _stdio(self, _request: bytes, _call: ServerCall) -> AsyncIterator[bytes]:
        # What is printed goes to the log; there is no other output to send.
        for message in wire.NO_MESSAGES:
            yield message
