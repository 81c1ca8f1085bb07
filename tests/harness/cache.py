"""Where what takes long to make is kept between runs, and how processes wait for each other's."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.harness.progress import Progress

__all__ = ["cache_directory", "locked"]


def cache_directory(name: str) -> Path:
    """Return a folder of the user's cache; it exists."""
    base = os.environ.get("XDG_CACHE_HOME")
    cache = (Path(base) if base else Path.home() / ".cache") / "mattermost-plugin" / name
    cache.mkdir(parents=True, exist_ok=True)
    return cache


@contextmanager
def locked(path: Path, progress: Progress, waiting: str) -> Iterator[None]:
    """Hold the lock file `path`; `waiting` is what is said when another process holds it."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.step(waiting)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
