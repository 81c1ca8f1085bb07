"""Keeps threads that take turns on one processor.

Only one thread at a time runs Python, so threads that call at once gain nothing from further processors. They
lose much: whenever one of them waits, another is woken, and to wake a thread on a processor that sleeps costs
several times what the call itself does. So as long as more than one call is under way, the threads that make
and serve them stay on the processor where the first of them was, and the system's scheduler moves others out
of their way.

A thread is let go when it has not called for a moment, before it starts a process, which would inherit the
restriction, and in any case now and then, so that the scheduler can choose another processor. Threads that it
started meanwhile are let go as well.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any, Final

from mattermost_plugin._grpc.threads.turns import this_caller

if TYPE_CHECKING:
    from mattermost_plugin._grpc.threads.callers import Caller

__all__ = ["stay_together"]

#: How often it is looked whether a thread still calls, and how long a processor is kept, in seconds.
_TICK: Final = 0.02
_TERM: Final = 0.5
#: Audit events of what starts a process or becomes one.
_STARTS: Final = frozenset(
    {"os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system", "subprocess.Popen"}
)


if sys.platform == "linux":
    _THREADS: Final = "/proc/self/task"

    class _Member:
        """A thread that takes part, from its first call on."""

        def __init__(self) -> None:
            self.thread = threading.get_native_id()
            self.processors: set[int] = set()  # it may use, when it is let go
            self.home: set[int] | None = None  # it was moved to; None: it is let go
            self.called = False  # since the last look

    class _Group:
        def __init__(self) -> None:
            self._lock = threading.Lock()
            # Weak, so that the system's number of a thread that has ended is not used any more.
            self._moved: weakref.WeakSet[_Member] = weakref.WeakSet()
            self._home: set[int] | None = None
            self._processors: set[int] = set()  # of the thread whose processor is the home
            self._since = 0.0
            self._wanted = threading.Event()
            self._watched = False
            self._known: set[str] = set()  # threads of the process, by the system's numbers
            self._count = 0  # of them

        def join(self, caller: Caller) -> None:
            """Have this thread stay with the others."""
            member: _Member | None = caller.member
            if member is None:
                caller.member = member = _Member()
            member.called = True
            if member.home is None or member.home is not self._home:
                self._move(member)

        def _move(self, member: _Member) -> None:
            with self._lock:
                if not self._watched:
                    self._watched = True
                    sys.addaudithook(self._on_event)
                    threading.Thread(target=self._watch, name="grpc-together", daemon=True).start()
                if member.home is None:
                    own = os.sched_getaffinity(0)
                    member.processors = (
                        self._processors if own == self._home else own
                    )  # else it was inherited
                if self._home is None:
                    self._home, self._since = {_processor()}, time.monotonic()
                    self._processors = member.processors
                    self._known = set(os.listdir(_THREADS))
                if self._home < member.processors:
                    member.home = self._home
                    self._moved.add(member)
                    os.sched_setaffinity(0, self._home)
            self._wanted.set()

        def _let_go(self, member: _Member) -> None:
            """Give a thread its processors back, with the lock held."""
            self._moved.discard(member)
            member.home = None
            with contextlib.suppress(ProcessLookupError):  # it is about to end
                os.sched_setaffinity(member.thread, member.processors)

        def _on_event(self, event: str, _arguments: tuple[Any, ...]) -> None:
            if event in _STARTS:
                member: _Member | None = this_caller().member
                if member is not None and member.home is not None:
                    with self._lock:
                        self._let_go(member)

        def _watch(self) -> None:
            while True:
                self._wanted.wait()
                time.sleep(_TICK)
                with self._lock:
                    over = time.monotonic() - self._since > _TERM
                    count = os.stat(_THREADS).st_nlink  # costs less than to list them
                    if over or count != self._count:
                        self._count = count
                        self._let_go_started()
                    for member in list(self._moved):
                        if over or not member.called:
                            self._let_go(member)
                        member.called = False
                    if not self._moved:
                        self._home = None
                        self._wanted.clear()

        def _let_go_started(self) -> None:
            """Let threads go that were started by one that was moved, with the lock held."""
            now = set(os.listdir(_THREADS))
            members = {member.thread for member in self._moved}
            for name in now - self._known:
                thread = int(name)
                if thread not in members:
                    with contextlib.suppress(ProcessLookupError):  # it has ended
                        if os.sched_getaffinity(thread) == self._home:
                            os.sched_setaffinity(thread, self._processors)
            self._known = now

    def _processor() -> int:
        """Return the number of the processor that this thread runs on."""
        with open("/proc/thread-self/stat", "rb") as file:
            # The name of the thread, in parentheses, may hold anything; the number is the 39th field.
            return int(file.read().rpartition(b")")[2].split()[36])

    stay_together = _Group().join

else:

    def stay_together(_caller: Caller) -> None:
        """Do nothing: this system does not let a thread choose its processor."""
