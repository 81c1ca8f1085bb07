"""Runs the hooks of an `AsyncPlugin` on the event loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from mattermost_plugin._forks import Boundary
from mattermost_plugin._runtime.checks import is_coroutine_function
from mattermost_plugin._runtime.hook_threads import HookThreads
from mattermost_plugin._runtime.outcomes import encode_failure, encode_result, failed_call, logger
from mattermost_plugin._runtime.unawaited import plainly

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mattermost_plugin._codec.methods import Method
    from mattermost_plugin._grpc.aio import ServerCall

__all__ = ["AsyncDispatcher"]

_NOTHING: Any = object()


class AsyncDispatcher:
    """Turns requests into calls of hooks and their results into responses, whatever carries the bytes."""

    def __init__(self, plugin: object) -> None:
        self._plugin = plugin
        self._boundary = Boundary()
        self._threads = HookThreads(getattr(plugin, "hook_threads", 64))

    def handler(self, method: Method) -> Callable[..., Awaitable[Any]]:
        """Return what serves one hook: (request, call or None) -> response.

        Where both are streams (`method.kind`) it is (asynchronous iterator of requests, call) -> list of the
        last response; the others go by `call.send`. The returned function raises `RpcError` where the call
        itself fails. Cancelling it, as the host's deadline does, cancels the hook.
        """
        if method.kind != "unary_unary":
            from mattermost_plugin._runtime.file_hooks_async import file_handler

            return file_handler(getattr(self._plugin, method.name), method)
        boundary = self._boundary
        hook = self._awaitable(getattr(self._plugin, method.name))

        async def handle(request: bytes, _call: ServerCall | None) -> bytes:
            arguments = _NOTHING
            try:
                arguments = method.codec.decode_request(request)
                with boundary:
                    result = await hook(*arguments)
            except asyncio.CancelledError:
                logger.warning("Hook %s was cancelled: the host no longer waits for it", method.name)
                raise
            except (Exception, SystemExit) as error:  # noqa: BLE001 - logged below
                if arguments is _NOTHING:
                    logger.exception("The arguments of hook %s could not be read", method.name)
                    raise failed_call(method) from None
                return encode_failure(method, error)
            return encode_result(method, result)

        return handle

    async def run(self, method: Method, *arguments: Any) -> Any:
        """Call a hook outside of a request and return its result, or raise what it raises."""
        with self._boundary:
            return await self._awaitable(getattr(self._plugin, method.name))(*arguments)

    def _awaitable(self, hook: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
        """Return the hook itself, or for a plain `def` a function that runs it on a thread."""
        if is_coroutine_function(hook):
            return hook

        async def in_thread(*arguments: Any) -> Any:
            result = await self._threads.run(_checked, self._boundary, hook, *arguments)
            # A decorator without functools.wraps hides that the hook is a coroutine function.
            return await result if asyncio.iscoroutine(result) else result

        return in_thread


def _checked(boundary: Boundary, hook: Callable[..., Any], *arguments: Any) -> Any:
    # A future cannot hold a StopIteration.
    try:
        with boundary:
            return plainly(hook, *arguments)
    except StopIteration as error:
        raise RuntimeError("the hook raised StopIteration") from error
