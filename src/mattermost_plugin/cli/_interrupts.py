"""Ending a command in order when a signal asks for it."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["Interrupted", "interruptible"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(KeyboardInterrupt):
    """A signal asked the command to end.

    Attributes:
        signal: the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.signal = signal.Signals(number)


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise `Interrupted` in the body at SIGINT, SIGTERM or SIGHUP.

    Further ones are ignored until the body has ended, so that what cleans up is not interrupted. Signals
    that are ignored already stay so (`nohup`), and outside of the main thread all stays as it is.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handled = {one: signal.getsignal(one) for one in _SIGNALS if signal.getsignal(one) != signal.SIG_IGN}

    def interrupt(number: int, _: FrameType | None) -> None:
        for one in handled:
            signal.signal(one, signal.SIG_IGN)
        raise Interrupted(number)

    for one in handled:
        signal.signal(one, interrupt)
    try:
        yield
    finally:
        for one, handler in handled.items():
            # None: set by something that is not Python, which cannot be put back from here.
            signal.signal(one, signal.SIG_DFL if handler is None else handler)
