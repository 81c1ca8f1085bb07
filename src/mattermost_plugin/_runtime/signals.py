"""The signals that a plugin process handles, which are not those of its children.

Handlers are functions and not `SIG_IGN`, which a program that the plugin starts would inherit. A forked child
inherits functions too, and the descriptor to which the interpreter writes the number of each signal: a signal
to the child would be the plugin's. So a child begins with its signals blocked, until it has Python's own
handling of them.
"""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ignore_interrupts", "set_handler", "was_set"]

# What this process has set, by signal.
_set: dict[signal.Signals, Any] = {}
# What Python begins with.
_USUAL: dict[signal.Signals, Any] = {
    signal.SIGTERM: signal.SIG_DFL,
    signal.SIGINT: signal.default_int_handler,
}


def set_handler(number: signal.Signals, handler: Callable[..., object]) -> None:
    """Handle a signal in this process and not in its children; to be called on the main thread."""
    signal.signal(number, handler)
    was_set(number)


def was_set(number: signal.Signals) -> None:
    """Take the present handler of a signal for one of this process alone."""
    _set[number] = signal.getsignal(number)


def ignore_interrupts() -> None:
    """Ignore Ctrl-C: it reaches all processes of a terminal's group, and the host decides what it means."""
    set_handler(signal.SIGINT, _ignore)


def _ignore(*_: object) -> None:
    return


class _Blocked(threading.local):
    mask: set[int] | None = None


_blocked = _Blocked()


def _before_fork() -> None:
    if _set:
        _blocked.mask = set(signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals()))


def _unblock() -> None:
    mask, _blocked.mask = _blocked.mask, None
    if mask is not None:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _in_child() -> None:
    if _set:
        signal.set_wakeup_fd(-1)
    for number, handler in _set.items():
        # One that the author has set since then stays, as it does in any forked child.
        if signal.getsignal(number) is handler:
            signal.signal(number, _USUAL[number])
    _set.clear()
    _unblock()


os.register_at_fork(before=_before_fork, after_in_parent=_unblock, after_in_child=_in_child)
