"""Notices an event loop that does not run, and says what keeps it.

An `async def` hook that calls `time.sleep`, or a library that blocks, stops every other hook on the loop.
Nobody on the loop can tell. So a thread asks the loop, every half of the limit, to answer; one that does not
answer within the limit is blocked, and what its thread does at that moment is what blocks it.

C code that computes with the interpreter's lock stops this thread too. It goes on as soon as that call
returns, which is before the code after it runs, so the stack still shows the line of the call; only the
warning comes late. A process that did not compute meanwhile was stopped as a whole, and is not warned of.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from mattermost_plugin._logger import get_logger
from mattermost_plugin._runtime import stacks

if TYPE_CHECKING:
    import asyncio

__all__ = ["DEFAULT_LIMIT", "LoopWatch", "watch_loop"]

logger = get_logger("mattermost_plugin.loop")

# Seconds that a loop may go without running anything else.
DEFAULT_LIMIT = 1.0

# Seconds. The loop is asked so often at most, and at least.
_SHORTEST, _LONGEST = 0.02, 1.0

# Where the thread of a loop stands while it waits for events: in Python's own loop, and for a loop in C in
# what runs it.
_WAITING = frozenset({"selectors.py", "serve_asyncio.py", "threading.py"})


class _Wait:
    """How a wait of this thread went.

    Attributes:
        began: When it began, by `time.monotonic()`.
    """

    def __init__(self, seconds: float) -> None:
        self.began = time.monotonic()
        self._seconds = seconds
        self._cpu = time.process_time()

    def overran(self) -> float:
        """Return by how many seconds the wait was longer than it should be."""
        return time.monotonic() - self.began - self._seconds

    def process_was_busy(self) -> bool:
        """Return whether the process computed for a tenth of the time; one that is stopped does not."""
        return time.process_time() - self._cpu > (time.monotonic() - self.began) / 10


class LoopWatch:
    """Watches one event loop from a thread of its own.

    Args:
        loop: The loop.
        limit: Seconds without an answer that are one warning.
        thread: `ident` of the thread that runs the loop.
        name: What the log calls the loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, limit: float, thread: int, name: str) -> None:
        self._loop = loop
        self._limit = limit
        self._loop_thread = thread
        self._name = name
        self._interval = min(max(limit / 2, _SHORTEST), _LONGEST)
        self._answered = threading.Event()
        self._asked_at: float | None = None  # by `time.monotonic()`; None: the loop has answered
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="loop-watch", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Watch no more; returns at once."""
        self._stopped.set()
        self._answered.set()

    def blocked_for(self) -> float:
        """Return for how many seconds the loop has owed an answer; 0: it runs."""
        asked_at = self._asked_at
        return 0.0 if asked_at is None else time.monotonic() - asked_at

    def stack(self) -> str:
        """Return where the thread of the loop stands now, the innermost call last."""
        return stacks.of_thread(self._loop_thread)

    def _run(self) -> None:
        while True:
            pause = _Wait(self._interval)
            if self._stopped.wait(self._interval):
                return
            if pause.overran() > self._limit and pause.process_was_busy():
                # C code with the interpreter's lock kept this thread from running.
                self._report(pause.began)
            if not self._ask():
                return
            self._await_answer()

    def _await_answer(self) -> None:
        while True:
            wait = _Wait(self._limit)
            if self._answered.wait(self._limit):
                return
            if wait.overran() < self._limit / 4 or wait.process_was_busy():
                self._report(self._asked_at)
                return
            # The whole process did not run, as when it is stopped: that is nothing of the loop's.

    def _ask(self) -> bool:
        self._answered.clear()
        self._asked_at = time.monotonic()
        try:
            self._loop.call_soon_threadsafe(self._answer)
        except RuntimeError:  # the loop is closed
            self._asked_at = None
            return False
        return True

    def _answer(self) -> None:
        self._asked_at = None
        self._answered.set()

    def _report(self, since: float | None) -> None:
        file, stack = stacks.sample(self._loop_thread)
        waits = file in _WAITING
        if since is None or self._stopped.is_set():
            return
        if waits and (self._asked_at is None or self._answered.wait(self._limit)):
            return  # what blocked it is over, and the stack does not show it any more
        logger.warning(
            "The event loop (%s) has been blocked for %.1f seconds, and no async hook runs meanwhile: await "
            "instead of blocking, or call what blocks by asyncio.to_thread",
            self._name,
            time.monotonic() - since,
            extra={"stack": stack},
        )
        if self._asked_at is not None:
            self._answered.wait()
        if not self._stopped.is_set():
            logger.warning(
                "The event loop (%s) runs again after %.1f seconds", self._name, time.monotonic() - since
            )


def watch_loop(
    loop: asyncio.AbstractEventLoop, limit: float | None, thread: int | None, name: str
) -> LoopWatch | None:
    """Return a running watch of a loop; None: there is no limit.

    Args:
        loop: The loop.
        limit: Seconds; None or 0: none.
        thread: `ident` of the thread that runs the loop; None: this one.
        name: What the log calls the loop.
    """
    if not limit:
        return None
    watch = LoopWatch(loop, limit, threading.get_ident() if thread is None else thread, name)
    watch.start()
    return watch
