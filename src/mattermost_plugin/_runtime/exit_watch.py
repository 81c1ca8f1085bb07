"""The interpreter's own end, bounded: it waits for threads that an author forgot to end."""

from __future__ import annotations

import os
import threading

from mattermost_plugin._logger import get_logger
from mattermost_plugin._runtime.log import finish
from mattermost_plugin._runtime.timing import EXIT_GRACE

__all__ = ["bound_exit"]


def bound_exit(grace: float = EXIT_GRACE) -> None:
    """End the process in `grace` seconds from now, if it has not ended by itself by then."""
    timer = threading.Timer(grace, _give_up)
    timer.daemon = True
    timer.start()


def _give_up() -> None:
    names = [
        thread.name
        for thread in threading.enumerate()
        if not thread.daemon and thread is not threading.main_thread()
    ]
    get_logger("mattermost_plugin").warning(
        "The plugin ends although these threads still run: %s (make them daemon threads, or end them in "
        "on_deactivate)",
        ", ".join(names) or "none",
    )
    finish()
    os._exit(0)
