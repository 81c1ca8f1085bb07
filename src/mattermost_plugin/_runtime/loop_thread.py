"""An event loop in a thread of its own, for the `async def` hooks of a plugin that runs on threads."""

from __future__ import annotations

import asyncio
import concurrent.futures
import threading
from typing import TYPE_CHECKING, Any

from mattermost_plugin._forks import Boundary, LoopGuard
from mattermost_plugin._grpc import RpcError, StatusCode
from mattermost_plugin._runtime.loop_watch import watch_loop

if TYPE_CHECKING:
    from collections.abc import Coroutine

__all__ = ["LoopThread"]


class LoopThread:
    """One loop for all hooks, so that what they share (sessions, locks, tasks) belongs to one loop."""

    def __init__(self, blocked_after: float | None = None) -> None:
        """Start the thread.

        Args:
            blocked_after: Seconds after which a blocked loop is a warning; None: never.
        """
        self._loop = new_event_loop()
        self._boundary = Boundary()
        self._thread = threading.Thread(target=self._run, name="async hooks", daemon=True)
        self._thread.start()
        self.watch = watch_loop(self._loop, blocked_after, self._thread.ident, "of async hooks and HTTP")

    def run(self, coroutine: Coroutine[Any, Any, Any], timeout: float | None) -> Any:
        """Run the coroutine to its end from another thread.

        Args:
            coroutine: What an `async def` hook returned.
            timeout: Seconds after which it is cancelled; None: never.

        Raises:
            RpcError: It was cancelled for that.
        """
        if threading.current_thread() is self._thread:
            coroutine.close()
            raise RuntimeError("an async hook was called from the event loop's own thread")
        future = asyncio.run_coroutine_threadsafe(self._bounded(coroutine), self._loop)
        try:
            return future.result(timeout)
        except concurrent.futures.TimeoutError:
            if future.done():
                raise
            future.cancel()
            raise RpcError(StatusCode.DEADLINE_EXCEEDED, "the hook took too long and was cancelled") from None

    def _run(self) -> None:
        guard = LoopGuard(self._loop)
        with self._boundary:
            self._loop.run_forever()
        del guard  # it had to live until here

    async def _bounded(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        with self._boundary:
            return await coroutine

    def close(self) -> None:
        """Cancel what still runs and end the loop."""
        if not self._loop.is_closed():
            if self.watch is not None:
                self.watch.stop()
            asyncio.run_coroutine_threadsafe(_cancel_all(), self._loop).result(1.0)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(1.0)
            if not self._thread.is_alive():
                self._loop.close()


async def _cancel_all() -> None:
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=0.5)


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return a new loop: uvloop's when it is installed."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
