"""Runs the hooks of a `Plugin` on the threads that read the requests."""

from __future__ import annotations

import threading
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from mattermost_plugin._forks import Boundary
from mattermost_plugin._grpc import RpcError
from mattermost_plugin._runtime.outcomes import encode_failure, encode_result, failed_call, logger

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from mattermost_plugin._codec.methods import Method
    from mattermost_plugin._grpc.threads import ServerCall
    from mattermost_plugin._runtime.loop_thread import LoopThread

__all__ = ["Dispatcher"]

_NOTHING: Any = object()


class Dispatcher:
    """Turns requests into calls of hooks and their results into responses, whatever carries the bytes."""

    def __init__(self, plugin: object) -> None:
        self._plugin = plugin
        self._loop: LoopThread | None = None
        self._starting_loop = threading.Lock()
        self._boundary = Boundary()

    def handler(self, method: Method) -> Callable[..., Any]:
        """Return what serves one hook: (request, call or None) -> response.

        Where both are streams (`method.kind`) it is (iterator of requests, call) -> list of the last
        response; the others go by `call.send`. The returned function raises `RpcError` where the call itself
        fails.
        """
        hook = getattr(self._plugin, method.name)
        if method.kind != "unary_unary":
            from mattermost_plugin._runtime.file_hooks import file_handler

            return file_handler(hook, method, self._await)
        boundary = self._boundary

        def handle(request: bytes, call: ServerCall | None) -> bytes:
            arguments = result = _NOTHING
            try:
                arguments = method.codec.decode_request(request)
                with boundary:
                    result = hook(*arguments)
                if type(result) is CoroutineType:
                    coroutine, result = result, _NOTHING
                    result = self._await(coroutine, call)
            except (Exception, SystemExit) as error:
                if arguments is _NOTHING:
                    logger.exception("The arguments of hook %s could not be read", method.name)
                    raise failed_call(method) from None
                if isinstance(error, RpcError):
                    logger.warning("Hook %s took longer than the host waits and was cancelled", method.name)
                    raise
                return encode_failure(method, error)
            return encode_result(method, result)

        return handle

    def run(self, method: Method, *arguments: Any) -> Any:
        """Call a hook outside of a request and return its result, or raise what it raises."""
        with self._boundary:
            result = getattr(self._plugin, method.name)(*arguments)
        return self._await(result, None) if type(result) is CoroutineType else result

    def close(self) -> None:
        """End the event loop of `async def` hooks, if one was started."""
        if self._loop is not None:
            self._loop.close()

    @property
    def loop(self) -> LoopThread:
        """The event loop of `async def` hooks and of the plugin's HTTP server, started by its first use."""
        with self._starting_loop:
            if self._loop is None:
                from mattermost_plugin._runtime.loop_thread import LoopThread

                self._loop = LoopThread(getattr(self._plugin, "loop_blocked_after", None))
            return self._loop

    def _await(self, coroutine: Coroutine[Any, Any, Any], call: ServerCall | None) -> Any:
        return self.loop.run(coroutine, None if call is None else call.time_remaining())
