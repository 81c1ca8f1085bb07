"""The interpreter's own end, bounded: it waits for threads that an author forgot to end."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from mattermost_plugin._logger import get_logger
from mattermost_plugin._runtime.log import finish
from mattermost_plugin._runtime.timing import EXIT_GRACE

if TYPE_CHECKING:
    from collections.abc import Callable

# Seconds after which threads that hold up the end are named: the host may kill the process soon after.
_NAMED_AFTER = 0.3

__all__ = ["bound_exit", "name_threads_soon"]


def bound_exit(grace: float = EXIT_GRACE) -> None:
    """End the process in `grace` seconds from now, if it has not ended by itself by then."""
    _start(grace, _give_up)


def name_threads_soon() -> None:
    """Name the threads that still run a moment from now: the process is to end."""
    _start(_NAMED_AFTER, _name_threads)


def _start(seconds: float, function: Callable[[], None]) -> None:
    timer = threading.Timer(seconds, function)
    timer.daemon = True
    timer.start()


def _name_threads() -> None:
    names = [
        thread.name
        for thread in threading.enumerate()
        if not thread.daemon and thread is not threading.main_thread()
    ]
    if names:
        get_logger("mattermost_plugin").warning(
            "The plugin ends although these threads still run: %s (make them daemon threads, or end them in "
            "on_deactivate)",
            ", ".join(names),
        )


def _give_up() -> None:
    finish()
    os._exit(0)
