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

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Watch", "before_waiting", "on_waiting"]

_TICK: Final = 0.001
_QUIET_TICKS: Final = 20


class _Turn(threading.local):
    give_up: Callable[[], None] | None = None


_turn: Final = _Turn()


def on_waiting(give_up: Callable[[], None]) -> None:
    """Have `give_up` called whenever this thread is about to wait in this package."""
    _turn.give_up = give_up


def before_waiting() -> None:
    """Give up this thread's turn, if it is one of a server's."""
    give_up = _turn.give_up
    if give_up is not None:
        give_up()


class Watch:
    """Looks every millisecond whether the same handler still runs, as long as there is something to do.

    Args:
        progress: a number that changes whenever a handler begins.
        give_up: gives up the turn of whoever has it; does nothing if nothing waits for it.
    """

    def __init__(self, progress: Callable[[], int], give_up: Callable[[], None]) -> None:
        self._progress = progress
        self._give_up = give_up
        self._lock = threading.Lock()
        self._wanted = threading.Event()
        self._thread: threading.Thread | None = None
        self._stopped = False
        self.active = False

    def start(self) -> None:
        """Begin to look, if not already."""
        with self._lock:
            if self.active or self._stopped:
                return
            self.active = True
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="grpc-server-watch", daemon=True)
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
            self._give_up()
            quiet += 1
            if quiet >= _QUIET_TICKS:
                self._wanted.clear()
                self.active = False
                self._give_up()  # what was put off just before
                self._wanted.wait()
                quiet = 0
