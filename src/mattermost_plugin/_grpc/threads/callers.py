"""What this package keeps about a thread that calls or serves."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from mattermost_plugin._grpc.threads.semaphores import Semaphore

if TYPE_CHECKING:
    from collections.abc import Callable

    from mattermost_plugin._grpc.threads.shared_connection import SharedConnection

__all__ = ["Caller"]


class Caller:
    """One thread.

    Attributes:
        semaphore: posted when the thread is to go on.
        give_up: gives up the turn that it has of a server; None: it serves nothing.
        holds: the connection whose turn it has while it runs what its author wrote; None: none.
        calling: whether a call of it is under way on a shared connection.
        queued: whether its call has ended and it waits for its turn.
        late: how often it must come back at once before it is given turns; 0: it is.
        returned_at: when it was last let go on while it was late, by `time.monotonic()`.
        unsafe: whether it is where an exception would leave a connection in an unknown state.
        is_main: whether signals interrupt it.
    """

    __slots__ = (
        "calling",
        "give_up",
        "holds",
        "is_main",
        "late",
        "queued",
        "returned_at",
        "semaphore",
        "unsafe",
    )

    def __init__(self) -> None:
        self.semaphore = Semaphore()
        self.give_up: Callable[[], object] | None = None
        self.holds: SharedConnection | None = None
        self.calling = False
        self.queued = False
        self.late = 0
        self.returned_at = 0.0
        self.unsafe = False
        self.is_main = threading.current_thread() is threading.main_thread()

    def leave(self) -> None:
        """Give up its turn of a shared connection, if it has one."""
        if self.holds is not None:
            self.holds.leave(self)

    def before_waiting(self) -> None:
        """Give up its turns, because it is about to wait."""
        self.leave()
        if self.give_up is not None:
            self.give_up()
