"""How long to look for what comes next before waiting for it.

To wait is to let the processor sleep, and to be woken again takes both sides longer than a small call does.
A peer that makes one call after the other is back within some ten microseconds, or some hundred if there is
a bridge between; so for that long it pays to look again and again instead. Where it does not pay, because
what is waited for takes longer, it is soon given up and only tried again now and then.
"""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio

__all__ = ["LOOK", "Lookout", "Patience", "give_way"]

#: Seconds to look for.
LOOK: Final = 300e-6
#: With more messages read together than that, there are more under way, and processors have something to do.
_FEW: Final = 2
#: So many times in vain, and it is tried only once in so many times.
_IN_VAIN: Final = 8
_NOW_AND_THEN: Final = 64

#: With one processor, looking keeps the peer from doing what is waited for.
_ALONE: Final = (len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1) < 2

_sched_yield: Final = getattr(os, "sched_yield", lambda: None)


def give_way() -> None:
    """Let another thread run that is waiting for this processor; to be called while looking.

    Linux puts who was woken by a write to a Unix socket on the processor of the one who wrote, and if all
    processors were busy of late, does not ask whether they still are. Then what is looked for comes from a
    process that waits for the one who looks.
    """
    _sched_yield()


class Patience:
    """Decides whether to look, by what came of it before."""

    __slots__ = ("_crowd", "_in_vain", "_passed_over")

    def __init__(self) -> None:
        self._crowd = False
        self._in_vain = 0
        self._passed_over = 0

    def wants_to_look(self) -> bool:
        """Return whether to look this time."""
        if _ALONE or self._crowd:
            return False
        if self._in_vain < _IN_VAIN:
            return True
        self._passed_over = (self._passed_over + 1) % _NOW_AND_THEN
        return self._passed_over == 0

    def came(self, messages: int) -> None:
        """Hear how many messages were read together, looked for or not."""
        self._crowd = messages > _FEW

    def found(self) -> None:
        """Hear that what was looked for came."""
        self._in_vain = 0

    def gave_up(self) -> None:
        """Hear that it did not."""
        self._in_vain += 1


class Lookout:
    """Keeps an event loop looking for the next octets of one connection.

    Args:
        loop: the event loop.
    """

    __slots__ = ("_looking", "_loop", "_patience", "_until")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._patience = Patience()
        self._until = 0.0  # by `time.perf_counter()`; 0: they came
        self._looking = False

    def look(self) -> None:
        """Begin to look."""
        if self._patience.wants_to_look():
            self._until = time.perf_counter() + LOOK
            if not self._looking:
                self._looking = True
                self._loop.call_soon(self._again)

    def came(self, messages: int) -> None:
        """Hear that octets came, and how many messages there were in them."""
        self._patience.came(messages)
        if self._looking:
            self._until = 0.0
            self._patience.found()

    def _again(self) -> None:
        # As long as the loop has something to do, it does not let the processor sleep.
        if time.perf_counter() < self._until:
            give_way()
            self._loop.call_soon(self._again)
            return
        self._looking = False
        if self._until:
            self._patience.gave_up()
