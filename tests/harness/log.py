"""Reads the log of a Mattermost server while it is written."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["LogRecord", "LogTimeoutError", "ServerLog"]

SHOWN_ON_TIMEOUT = 40

DEFAULT_TIMEOUT = 40.0
"""Seconds to wait for a record; generous, because only a failing test waits so long."""


class LogTimeoutError(AssertionError):
    """No record of the wanted kind came in time; the message shows the last records that did."""


@dataclass(frozen=True)
class LogRecord:
    """One line of the server's log.

    Attributes:
        level: `debug`, `info`, `warn`, `error`, ...; empty for a line that is not JSON (a Go panic).
        message: The text of the record, or the whole line where it is not JSON.
        fields: Everything else the record carries.
    """

    level: str
    message: str
    fields: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, line: str) -> LogRecord:
        """Read one line of the log."""
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            return cls("", line)
        if not isinstance(record, dict):
            return cls("", line)
        return cls(str(record.pop("level", "")), str(record.pop("msg", "")), record)

    def __str__(self) -> str:
        fields = {name: value for name, value in self.fields.items() if name not in {"timestamp", "caller"}}
        return f"{self.level or '-'}: {self.message} {fields or ''}".rstrip()


class ServerLog:
    """Collects the records that arrive through a pipe, and wakes those that wait for one.

    Args:
        stream: The server's standard output; read to its end on a thread of its own, then closed.
        copy: A file that gets every line as it came.
    """

    def __init__(self, stream: IO[bytes], copy: Path) -> None:
        self._stream = stream
        self._copy = copy
        self._records: list[LogRecord] = []
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._read, name="mattermost-log", daemon=True)
        self._thread.start()

    def mark(self) -> int:
        """Return the number of records so far, for the `since` of the other methods."""
        with self._changed:
            return len(self._records)

    def records(self, since: int = 0) -> list[LogRecord]:
        """Return the records that came after the mark `since`."""
        with self._changed:
            return self._records[since:]

    def find(self, text: str = "", /, *, level: str = "", since: int = 0, **fields: Any) -> list[LogRecord]:
        """Return the records after `since` that match, as :meth:`wait_for` describes it."""
        matches = _matcher(text, level, fields)
        return [record for record in self.records(since) if matches(record)]

    def wait_for(
        self,
        text: str = "",
        /,
        *,
        level: str = "",
        since: int = 0,
        timeout: float = DEFAULT_TIMEOUT,
        **fields: Any,
    ) -> LogRecord:
        """Wait for the first record after `since` that matches and return it.

        Args:
            text: What the message contains.
            level: The record's level; empty for any.
            since: A mark; records before it do not count.
            timeout: Seconds to wait.
            fields: Fields the record must have with these values, for instance `plugin_id="..."`.

        Raises:
            LogTimeoutError: None came in time, or the server ended without one.
        """
        matches = _matcher(text, level, fields)
        deadline = time.monotonic() + timeout
        position = since
        with self._changed:
            while True:
                for record in self._records[position:]:
                    if matches(record):
                        return record
                position = len(self._records)
                remaining = deadline - time.monotonic()
                if self._ended or remaining <= 0:
                    break
                self._changed.wait(remaining)
            wanted = {"text": text, "level": level, **fields}
            reason = "the server ended" if self._ended else f"nothing in {timeout:g} s"
            shown = "\n".join(f"  {record}" for record in self._records[since:][-SHOWN_ON_TIMEOUT:])
        raise LogTimeoutError(f"waited for a log record with {wanted}: {reason}. The last records:\n{shown}")

    def tail(self, count: int = SHOWN_ON_TIMEOUT) -> str:
        """Return the last records, a line each."""
        return "\n".join(f"  {record}" for record in self.records()[-count:])

    def join(self) -> None:
        """Wait until the log has been read to its end."""
        self._thread.join()

    def _read(self) -> None:
        with self._stream, self._copy.open("ab") as copy:
            for line in self._stream:
                copy.write(line)
                copy.flush()
                record = LogRecord.parse(line.decode(errors="replace").rstrip("\n"))
                with self._changed:
                    self._records.append(record)
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()


def _matcher(text: str, level: str, fields: dict[str, Any]) -> Callable[[LogRecord], bool]:
    absent = object()

    def matches(record: LogRecord) -> bool:
        return (
            text in record.message
            and level in {"", record.level}
            and all(record.fields.get(name, absent) == value for name, value in fields.items())
        )

    return matches
