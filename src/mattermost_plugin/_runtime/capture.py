"""`print` as a log: text streams whose lines become log lines."""

from __future__ import annotations

import io
import logging
import sys
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import FrameType

    from mattermost_plugin._runtime.log_writer import LogWriter

__all__ = ["LoggedStream"]

# What writes the text of a record to a stream.
_EMIT = logging.StreamHandler.emit.__code__

# A line without an end is written when it reaches this many characters.
_LONGEST_PARTIAL = 32 * 1024


class LoggedStream(io.TextIOBase):
    """Stands for `sys.stdout` or `sys.stderr`: every whole line written becomes one log line.

    It writes to the host itself and not through `logging`, so that a handler which prints cannot call itself.
    Threads do not mix their lines: each one's unfinished line is kept apart.

    What a `logging.StreamHandler` writes is the text of one record. It stays one record, with its level,
    logger and fields: a stream handler of the author's, whoever installed it, costs nothing of them.
    """

    def __init__(
        self,
        writer: LogWriter,
        level: str,
        module: str,
        fd: int,
        log_text: Callable[[logging.LogRecord, str], None],
    ) -> None:
        """Make the stream.

        Args:
            writer: Where lines go.
            level: Level of the lines.
            module: What stands for the name of a logger.
            fd: What child processes inherit.
            log_text: Called with a record and the text that a stream handler has made of it.
        """
        self._writer = writer
        self._log_text = log_text
        self._level = level
        self._module = module
        self._fd = fd
        # Unfinished lines by thread.
        self._partial: dict[int, str] = {}

    @property
    def encoding(self) -> str:  # type: ignore[override] # typeshed declares a writable attribute
        """Bytes written to `buffer` are read as this."""
        return "utf-8"

    @property
    def errors(self) -> str:  # type: ignore[override] # as above
        """Nothing that is written can fail to be encoded."""
        return "backslashreplace"

    @property
    def buffer(self) -> _LoggedBytes:
        """The same for bytes, as code that writes to `sys.stdout.buffer` expects."""
        return _LoggedBytes(self)

    def fileno(self) -> int:
        """The descriptor that child processes inherit."""
        return self._fd

    def isatty(self) -> bool:
        """Nobody is looking."""
        return False

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, text: str, /) -> int:
        """Log the whole lines of `text` and keep the rest for the next call."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        record = _record_of(sys._getframe(1))
        if record is not None:
            self._log_text(record, text.rstrip("\r\n"))
            return len(text)
        thread = threading.get_ident()
        *lines, partial = (self._partial.pop(thread, "") + text).split("\n")
        for line in lines:
            self._log(line)
        if len(partial) > _LONGEST_PARTIAL:
            self._log(partial)
        elif partial:
            self._partial[thread] = partial
        return len(text)

    def writelines(self, lines: Iterable[str], /) -> None:  # type: ignore[override] # typeshed: of Any
        """Write each text."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Do nothing: `print(..., end="", flush=True)` is no end of a line."""

    def finish(self) -> None:
        """Log the unfinished lines of all threads, at the end of the process."""
        unfinished, self._partial = self._partial, {}
        for text in unfinished.values():
            self._log(text)

    def forget(self) -> None:
        """Forget the unfinished lines: in a forked child they are the parent's."""
        self._partial = {}

    def _log(self, line: str) -> None:
        line = line.rstrip("\r")
        if line:
            self._writer.write(self._level, line, self._module, time.time())


def _record_of(caller: FrameType) -> logging.LogRecord | None:
    """Return the record whose text is being written; None: whoever writes is no stream handler."""
    if caller.f_code is not _EMIT:
        return None
    record = caller.f_locals.get("record")
    return record if isinstance(record, logging.LogRecord) else None


class _LoggedBytes(io.RawIOBase):
    def __init__(self, stream: LoggedStream) -> None:
        self._stream = stream

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._stream.fileno()

    def write(self, data: object, /) -> int:
        raw = bytes(data)  # type: ignore[call-overload] # any object with the buffer protocol
        self._stream.write(raw.decode("utf-8", "backslashreplace"))
        return len(raw)
