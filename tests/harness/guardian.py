"""Ends what a harness started when the harness itself was killed and could not.

A second process that sleeps until its standard input closes. It closes when the process that holds the other
end ends in whatever way; what was registered and not released by then is killed and removed. It is run as a
script, so that it imports nothing of the harness.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["Guardian"]


class Guardian:
    """Registers processes and folders with a guardian process of its own."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", __file__],
            stdin=subprocess.PIPE,
            text=True,
            # Ctrl-C goes to the whole foreground group; the guardian must outlive the harness.
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def watch_group(self, leader: int) -> None:
        """Kill the process group of `leader` if the harness dies."""
        self._tell("group", str(leader), watch=True)

    def release_group(self, leader: int) -> None:
        """Forget a group: it has ended."""
        self._tell("group", str(leader), watch=False)

    def watch_directory(self, directory: Path) -> None:
        """Remove `directory` if the harness dies."""
        self._tell("directory", str(directory), watch=True)

    def release_directory(self, directory: Path) -> None:
        """Forget a folder: it is removed."""
        self._tell("directory", str(directory), watch=False)

    def close(self) -> None:
        """End the guardian; it cleans up whatever was not released."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._process.stdin.close()
        self._process.wait()

    def _tell(self, kind: str, what: str, *, watch: bool) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([kind, what, watch]) + "\n")
        self._process.stdin.flush()


def main() -> None:
    """Read registrations until the other side is gone, then clean up."""
    watched: dict[tuple[str, str], None] = {}
    for line in sys.stdin:
        kind, what, watch = json.loads(line)
        if watch:
            watched[kind, what] = None
        else:
            watched.pop((kind, what), None)
    for kind, what in watched:
        if kind == "group":
            with suppress(ProcessLookupError):
                os.killpg(int(what), signal.SIGKILL)
    for kind, what in watched:
        if kind == "directory":
            shutil.rmtree(what, ignore_errors=True)


if __name__ == "__main__":
    main()
