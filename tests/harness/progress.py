"""Shows how far a long step has come, on a terminal and in a log alike."""

from __future__ import annotations

import sys
import time
from typing import TextIO

__all__ = ["Progress"]

SECONDS_BETWEEN_LINES = 10.0
"""How often a stream that is no terminal gets another line."""


class Progress:
    """Writes one line per step; a counted step is rewritten in place where the stream is a terminal.

    Args:
        stream: Where to write, standard error unless given.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._in_place = self._stream.isatty()
        self._width = 0
        self._next_line = 0.0

    def step(self, text: str) -> None:
        """Begin a step."""
        self._finish_line()
        self._stream.write(f"{text}\n")
        self._stream.flush()
        self._next_line = time.monotonic() + SECONDS_BETWEEN_LINES

    def count(self, text: str, done: int, total: int) -> None:
        """Say that `done` of `total` parts of the current step are behind us."""
        line = f"  {text} {done}/{total}"
        if self._in_place:
            self._stream.write("\r" + line.ljust(self._width))
            self._width = len(line)
        elif time.monotonic() >= self._next_line:
            self._stream.write(f"{line}\n")
            self._next_line = time.monotonic() + SECONDS_BETWEEN_LINES
        self._stream.flush()

    def _finish_line(self) -> None:
        if self._width:
            self._stream.write("\n")
            self._width = 0
