"""When a thread of the server gives its turn to another.

A thread that has read several requests runs them one after another and reads on afterwards: nothing is faster
while handlers are short, because only one thread runs Python at a time and every change costs. A handler that
waits must hold nobody up, though. So the turn is given up where this package itself is about to wait - a call
of the API, the next message of a stream - and otherwise by a watch that notices a handler which takes longer
than a tick.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from mattermost_plugin import _forks
from mattermost_plugin._grpc.threads.callers import Caller

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Watch", "before_waiting", "this_caller"]

_TICK: Final = 0.001
_QUIET_TICKS: Final = 20


class _End:
    """Gives up the turn of a thread that ends."""

    __slots__ = ("_caller",)

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def __del__(self) -> None:
        self._caller.leave()


class _Local(threading.local):
    def __init__(self) -> None:
        self.caller = Caller()
        self.end = _End(self.caller)  # nobody else has it, so that it goes with the thread


_local: Final = _Local()


def this_caller() -> Caller:
    """Return this thread."""
    return _local.caller


def _after_fork() -> None:
    """Give up the turns of the thread that forked, in the child: they are the parent's."""
    caller = this_caller()
    caller.holds = caller.give_up = None
    caller.calling = False


_forks.on_fork(_after_fork)


def before_waiting() -> None:
    """Give up this thread's turns, because it is about to wait in this package."""
    this_caller().before_waiting()


class Watch:
    """Looks every millisecond whether the same handler still runs, as long as there is something to do.

    Args:
        progress: a number that changes whenever a handler begins.
        give_up: gives up the turn of whoever has it; does nothing if nothing waits for it. It returns True if
            it is to be called again in any case.
        name: of the thread that looks.
    """

    def __init__(self, progress: Callable[[], int], give_up: Callable[[], bool], name: str) -> None:
        self._name = name
        self._progress = progress
        self._give_up = give_up
        self._lock = threading.Lock()
        self._wanted = threading.Event()
        self._thread: threading.Thread | None = None
        self._stopped = False
        self.active = False

    def start(self) -> None:
        """Begin to look, if not already."""
        if self.active:
            return
        with self._lock:
            if self._stopped:
                return
            self.active = True
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
        self._wanted.set()

    def stop(self) -> None:
        """Look no more."""
        with self._lock:
            self._stopped = True
        self._wanted.set()

    def _run(self) -> None:
        seen, quiet = -1, 0
        while not self._stopped:
            time.sleep(_TICK)
            progress = self._progress()
            if progress != seen:
                seen, quiet = progress, 0
                continue
            quiet = 0 if self._give_up() else quiet + 1
            if quiet >= _QUIET_TICKS:
                self._wanted.clear()
                self.active = False
                self._give_up()  # what was put off just before
                self._wanted.wait()
                quiet = 0
