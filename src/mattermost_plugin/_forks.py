"""Keeps a forked child away from its parent's connections, and out of the plugin's own code.

A child has copies of all descriptors: what it reads is missing in the parent, and what it writes lies between
the parent's bytes. So after a fork each descriptor that this package holds is replaced, in the child, by a
socket without a peer. Nothing that the child does with its copies of the parent's objects, closing and
collecting them included, reaches the parent's peers. Locks that another thread held are made anew, and a call
fails with an error that says what to do.

A child that leaves its author's code, by an exception or because a hook returned, must not answer in the
parent's place: it ends there (`Boundary`).
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import weakref
from typing import TYPE_CHECKING, Final, NoReturn, Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from types import TracebackType

__all__ = [
    "FORKED",
    "Boundary",
    "LoopGuard",
    "add",
    "add_socket",
    "end_child",
    "forget",
    "hold",
    "on_fork",
    "release",
]

#: What a call in a child is told.
FORKED: Final = (
    "this process was forked from the plugin's and has no connection to the server: start it by "
    "multiprocessing's method 'spawn', or make the call in the parent"
)

#: How often this process and its parents were forked since the import.
count = 0


class _HasState(Protocol):
    def after_fork(self) -> None:
        """Make the object safe in the child, where no other thread runs."""


_objects: weakref.WeakSet[_HasState] = weakref.WeakSet()
_callbacks: list[Callable[[], None]] = []
_sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
_descriptors: set[int] = set()
_without_peer: socket.socket | None = None


def add(subject: _HasState) -> None:
    """Have `subject.after_fork()` called in children, as long as the object lives."""
    _objects.add(subject)


def on_fork(callback: Callable[[], None]) -> None:
    """Have a function called in children; `forget` ends it."""
    _callbacks.append(callback)


def forget(callback: Callable[[], None]) -> None:
    """Call a function no more; does nothing if it is not known."""
    with contextlib.suppress(ValueError):
        _callbacks.remove(callback)


def add_socket(sock: socket.socket) -> socket.socket:
    """Keep children away from a socket until it is closed; return it."""
    _prepare()
    _sockets.add(sock)
    return sock


def hold(descriptor: int) -> None:
    """Keep children away from a descriptor; `release` it before it is closed, as its number is used again."""
    _prepare()
    _descriptors.add(descriptor)


def release(descriptor: int) -> None:
    """Undo `hold`; does nothing for a descriptor that is not held."""
    _descriptors.discard(descriptor)


def _prepare() -> None:
    global _without_peer  # made here: a child may have no descriptor left for it
    if _without_peer is None:
        _without_peer, peer = socket.socketpair()
        peer.close()


def _in_child() -> None:
    global count  # noqa: PLW0603 - it is the process's
    count += 1
    if _without_peer is not None:
        held = {sock.fileno() for sock in list(_sockets)} | _descriptors
        for descriptor in held - {-1}:
            os.dup2(_without_peer.fileno(), descriptor, inheritable=False)
    for callback in _callbacks:
        callback()
    for subject in list(_objects):
        subject.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)


class Boundary:
    """Where the plugin's own code calls its author's: a child that comes back ends.

    `with boundary: ...` around the call. It can be entered many times at once.
    """

    __slots__ = ("_count",)

    def __init__(self) -> None:
        self._count = count

    def __enter__(self) -> None:
        return

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if count != self._count:
            end_child(error)

    def check(self) -> None:
        """End a child that has come here."""
        if count != self._count:
            end_child(None)


class LoopGuard:
    """Ends a child that was forked on an event loop's thread, as soon as it is back in the loop.

    The loop's poller is the parent's as well, so the child must not go on with it.

    Args:
        loop: the event loop, which runs on this thread.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        import threading

        self._loop = loop
        self._ident = threading.get_ident
        self._thread = threading.get_ident()
        add(self)

    def after_fork(self) -> None:
        """Do it."""
        if self._ident() == self._thread and not self._loop.is_closed():
            self._loop.call_soon(end_child, None)


def end_child(error: BaseException | None) -> NoReturn:
    """End this process as Python ends a program, but for functions registered with `atexit`.

    Those were registered for the parent. Children of `multiprocessing` do not run them either.

    Args:
        error: What left the program; None: it came to its end.
    """
    import threading

    status = 0
    try:
        status = _status_of(error)
        for thread in threading.enumerate():
            if thread is not threading.current_thread() and not thread.daemon:
                thread.join()
        for stream in (sys.stdout, sys.stderr):
            # Only what stands for the standard streams has unfinished lines to log.
            (getattr(stream, "finish", None) or stream.flush)()
    finally:
        os._exit(status)


def _status_of(error: BaseException | None) -> int:
    if error is None:
        return 0
    if isinstance(error, SystemExit):
        if error.code is None:
            return 0
        if isinstance(error.code, int):
            return error.code & 0xFF
        print(error.code, file=sys.stderr)  # noqa: T201 - as Python does
        return 1
    sys.excepthook(type(error), error, error.__traceback__)
    if isinstance(error, KeyboardInterrupt):
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    return 1
