"""Lets several threads wait for the same sockets, each event waking one of them.

A socket is armed for one event at a time: whoever gets it arms it again once the next may be seen by another
thread. That is how the thread that read a request can run it while another one reads on, and no thread has to
hand anything over.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys
from typing import Final, NamedTuple, Protocol

from mattermost_plugin import _forks

__all__ = ["WAKE", "Event", "Poller", "new_poller"]


class Event(NamedTuple):
    """A socket that can be read or written, or WAKE."""

    fd: int
    writable: bool


WAKE: Final = Event(-1, writable=False)


class Poller(Protocol):
    """What the server needs of the system."""

    def arm_read(self, fd: int) -> None:
        """Let the next thread that waits hear once that `fd` can be read."""

    def arm_write(self, fd: int) -> None:
        """Let the next thread that waits hear once that `fd` can be written."""

    def remove(self, fd: int) -> None:
        """Forget `fd`, before it is closed."""

    def wake(self) -> None:
        """Wake one thread with WAKE."""

    def wait(self) -> Event:
        """Wait for an event."""

    def close(self) -> None:
        """Release the descriptors."""


if sys.platform == "linux":

    class _EpollPoller:
        """Waits with epoll (Linux)."""

        def __init__(self) -> None:
            self._epoll = select.epoll()
            _forks.hold(self._epoll.fileno())
            # The writing end of a pipe can always be written: arming it wakes a thread.
            self._pipe = os.pipe()
            for fd in self._pipe:
                _forks.hold(fd)
            self._epoll.register(self._pipe[1], select.EPOLLONESHOT)
            # epoll knows one interest per descriptor, so waiting to write has a descriptor of its own.
            self._writers: dict[int, int] = {}
            self._fd_of_writer: dict[int, int] = {}
            self._known: set[int] = set()

        def arm_read(self, fd: int) -> None:
            """Let the next thread that waits hear once that `fd` can be read."""
            if fd in self._known:
                self._epoll.modify(fd, select.EPOLLIN | select.EPOLLONESHOT)
            else:
                self._known.add(fd)
                self._epoll.register(fd, select.EPOLLIN | select.EPOLLONESHOT)

        def arm_write(self, fd: int) -> None:
            """Let the next thread that waits hear once that `fd` can be written."""
            writer = self._writers.get(fd)
            if writer is None:
                writer = os.dup(fd)
                _forks.hold(writer)
                self._writers[fd] = writer
                self._fd_of_writer[writer] = fd
                self._epoll.register(writer, select.EPOLLOUT | select.EPOLLONESHOT)
            else:
                self._epoll.modify(writer, select.EPOLLOUT | select.EPOLLONESHOT)

        def remove(self, fd: int) -> None:
            """Forget `fd`, before it is closed."""
            if fd in self._known:
                self._known.discard(fd)
                self._epoll.unregister(fd)
            writer = self._writers.pop(fd, None)
            if writer is not None:
                self._epoll.unregister(writer)
                del self._fd_of_writer[writer]
                _forks.release(writer)
                os.close(writer)

        def wake(self) -> None:
            """Wake one thread with WAKE."""
            self._epoll.modify(self._pipe[1], select.EPOLLOUT | select.EPOLLONESHOT)

        def wait(self) -> Event:
            """Wait for an event."""
            while True:
                for fd, _ in self._epoll.poll(-1, 1):
                    if fd in self._known:
                        return Event(fd, writable=False)
                    if fd == self._pipe[1]:
                        return WAKE
                    if fd in self._fd_of_writer:
                        return Event(self._fd_of_writer[fd], writable=True)

        def close(self) -> None:
            """Release the descriptors."""
            _forks.release(self._epoll.fileno())
            self._epoll.close()
            for fd in (*self._pipe, *self._fd_of_writer):
                _forks.release(fd)
                os.close(fd)

else:

    class _KqueuePoller:
        """Waits with kqueue (macOS, the BSDs)."""

        def __init__(self) -> None:
            self._kqueue = select.kqueue()
            self._pipe = os.pipe()

        def arm_read(self, fd: int) -> None:
            """Let the next thread that waits hear once that `fd` can be read."""
            self._arm(fd, select.KQ_FILTER_READ)

        def arm_write(self, fd: int) -> None:
            """Let the next thread that waits hear once that `fd` can be written."""
            self._arm(fd, select.KQ_FILTER_WRITE)

        def _arm(self, fd: int, which: int) -> None:
            flags = select.KQ_EV_ADD | select.KQ_EV_ONESHOT
            self._kqueue.control([select.kevent(fd, which, flags)], 0)

        def remove(self, fd: int) -> None:
            """Forget `fd`; closing it would do the same."""
            for which in (select.KQ_FILTER_READ, select.KQ_FILTER_WRITE):
                with contextlib.suppress(FileNotFoundError):  # was not armed
                    self._kqueue.control([select.kevent(fd, which, select.KQ_EV_DELETE)], 0)

        def wake(self) -> None:
            """Wake one thread with WAKE."""
            self.arm_write(self._pipe[1])

        def wait(self) -> Event:
            """Wait for an event."""
            while True:
                events = self._kqueue.control(None, 1, None)
                if events:
                    fd, which = events[0].ident, events[0].filter
                    return WAKE if fd == self._pipe[1] else Event(fd, which == select.KQ_FILTER_WRITE)

        def close(self) -> None:
            """Release the descriptors."""
            self._kqueue.close()
            for fd in self._pipe:
                os.close(fd)


def new_poller() -> Poller:
    """Return a poller for this system: epoll on Linux, kqueue on macOS and the BSDs.

    Raises:
        OSError: it has neither.
    """
    if sys.platform == "linux":
        return _EpollPoller()
    else:  # noqa: RET505 - the type checker follows this form
        if not hasattr(select, "kqueue"):
            raise OSError("the threads driver needs epoll or kqueue; use the asyncio driver on this system")
        return _KqueuePoller()
