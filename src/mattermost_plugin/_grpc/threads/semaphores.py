"""What a thread waits for until another one wakes it.

This is the reference. The compiled core (`speed/mattermost_plugin_speed/semaphores.c`) has the same class
with one difference: it lets go of the interpreter's lock before it wakes the other thread, and not
afterwards. Who is woken then finds the lock free, and a change of threads is one step instead of up to three.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

__all__ = ["Semaphore"]


class Semaphore:
    """Lets one thread wait; waking it beforehand counts, and waking it twice may count once."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()

    def post(self) -> None:
        """Wake the thread that waits, or else the next one that would."""
        try:
            self._lock.release()
        except RuntimeError:
            return  # it is awake already

    def wait(self, deadline: float | None, other: Semaphore | None = None) -> bool:
        """Wait until `post` is called; False: it was not in time.

        Args:
            deadline: by `time.monotonic()`; None: none.
            other: what to post first, in one step with the waiting; None: nothing.

        Raises:
            ValueError: the deadline is not a number.
        """
        if deadline is not None and deadline != deadline:
            raise ValueError("the deadline is not a number")
        if other is not None:
            other.post()
        if deadline is None:
            return self._lock.acquire()
        return self._lock.acquire(timeout=min(max(0.0, deadline - time.monotonic()), _LONGEST))


_LONGEST: Final = threading.TIMEOUT_MAX

if not TYPE_CHECKING:
    from mattermost_plugin._compiled import compiled_semaphores

    _compiled = compiled_semaphores()
    if _compiled is not None:
        Semaphore = _compiled.Semaphore
