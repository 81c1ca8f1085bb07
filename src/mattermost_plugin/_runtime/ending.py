"""Why the process ends: told by any thread or by SIGTERM, waited for by the main thread."""

from __future__ import annotations

import contextlib
import select
import signal
import socket

from mattermost_plugin import _forks
from mattermost_plugin._runtime.signals import set_handler

__all__ = ["Ending"]

_TOLD = b"\0"  # no signal has this number


class Ending:
    """The reason for which the process ends.

    The main thread waits on a socket and not on a lock: Python runs a signal's handler on the main thread,
    and a signal that another thread took, or that came between Python's last look and the wait, does not
    wake a thread that waits for a lock. The interpreter writes the number of every signal to the socket,
    whichever thread took it.
    """

    def __init__(self) -> None:
        self._reason: str | None = None
        self._reader, self._writer = socket.socketpair()
        _forks.add_socket(self._reader)
        _forks.add_socket(self._writer)
        self._reader.setblocking(False)
        self._writer.setblocking(False)

    def on_sigterm(self) -> None:
        """Take SIGTERM for a reason; to be called on the main thread."""
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        # Without a handler of Python's the signal would end the process at once.
        set_handler(signal.SIGTERM, lambda *_: None)

    def tell(self, reason: str) -> None:
        """End the process for this reason, if there was none before."""
        self._reason = self._reason or reason
        # Full: the main thread has enough to wake for. Closed: it waits no more.
        with contextlib.suppress(OSError):
            self._writer.send(_TOLD)

    def wait(self, timeout: float | None) -> str | None:
        """Return the reason as soon as there is one.

        Returns None after `timeout` seconds (None: never), and after a signal for which the plugin has a
        handler.
        """
        readable, _, _ = select.select([self._reader], [], [], timeout)
        if not readable:
            return None
        return "SIGTERM" if signal.SIGTERM in self._reader.recv(4096) else self._reason

    def close(self) -> None:
        """Wait no more; SIGTERM has no effect from here on."""
        signal.set_wakeup_fd(-1)
        self._reader.close()
        self._writer.close()
