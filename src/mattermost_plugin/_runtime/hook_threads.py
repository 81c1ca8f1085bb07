"""Threads for the plain `def` hooks of an `AsyncPlugin`."""

from __future__ import annotations

import asyncio
import contextvars
import queue
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from mattermost_plugin._logger import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["HookThreads"]

logger = get_logger("mattermost_plugin.hooks")

# Seconds after which a thread without work ends.
_IDLE = 10.0


class HookThreads:
    """Runs each hook on a thread at once: one that is idle, or a new one.

    There is no limit at which a hook would have to wait. A hook that makes a post may be waiting for the
    same hook to be called for that post; with a limit the outer ones could keep the inner ones waiting for
    ever. How many calls the host has under way bounds the threads.

    Args:
        usual: So many at once are a warning, once.
    """

    def __init__(self, usual: int) -> None:
        self._usual = usual
        self._lock = threading.Lock()
        self._work: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = queue.SimpleQueue()
        self._idle = 0
        self._threads = 0
        self._warned = False

    async def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function on a thread, in the caller's context, and return its result."""
        context = contextvars.copy_context()
        future: Future[Any] = Future()
        self._start(future, lambda: context.run(function, *arguments))
        return await asyncio.wrap_future(future)

    def _start(self, future: Future[Any], call: Callable[[], Any]) -> None:
        with self._lock:
            number, spawn = self._threads + 1, not self._idle
            if spawn:
                self._threads = number
            else:
                self._idle -= 1
            warn = spawn and number > self._usual and not self._warned
            self._warned = self._warned or warn
            self._work.put((future, call))
        if spawn:
            threading.Thread(target=self._run, name=f"hook-{number}", daemon=True).start()
        if warn:
            logger.warning(
                "%d plain hooks run at once, each on a thread: more than hook_threads of the plugin's class",
                number,
            )

    def _run(self) -> None:
        while True:
            try:
                future, call = self._work.get(timeout=_IDLE)
            except queue.Empty:
                with self._lock:
                    if not self._work.empty():
                        continue
                    self._idle -= 1
                    self._threads -= 1
                return
            if future.set_running_or_notify_cancel():
                try:
                    result = call()
                except BaseException as error:  # noqa: BLE001 - the awaiting hook raises it
                    future.set_exception(error)
                else:
                    future.set_result(result)
            del future, call
            with self._lock:
                self._idle += 1
