from __future__ import annotations

import json
import os
import threading
from typing import TYPE_CHECKING

import pytest

from tests.harness import LogTimeoutError, ServerLog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Writer:
    """The server's end of the pipe."""

    def __init__(self, descriptor: int) -> None:
        self._file = os.fdopen(descriptor, "wb", buffering=0)

    def record(self, level: str, msg: str, **fields: object) -> None:
        self.raw(json.dumps({"level": level, "msg": msg, **fields}))

    def raw(self, line: str) -> None:
        self._file.write(line.encode() + b"\n")

    def close(self) -> None:
        self._file.close()


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[tuple[ServerLog, Writer]]:
    reading, writing = os.pipe()
    log, writer = ServerLog(os.fdopen(reading, "rb"), tmp_path / "copy.log"), Writer(writing)
    yield log, writer
    writer.close()
    log.join()


def test_a_record_that_is_there_already_is_found(pipe: tuple[ServerLog, Writer]) -> None:
    log, writer = pipe
    writer.record("info", "other")
    writer.record("warn", "the message", plugin_id="a", count="3")

    record = log.wait_for("message", level="warn", plugin_id="a", timeout=30)

    assert (record.level, record.message, record.fields) == (
        "warn",
        "the message",
        {"plugin_id": "a", "count": "3"},
    )
    assert log.find("message", plugin_id="b") == []


def test_one_who_waits_is_woken_by_the_record(pipe: tuple[ServerLog, Writer]) -> None:
    log, writer = pipe
    later = threading.Timer(0.05, lambda: writer.record("info", "late"))
    later.start()

    assert log.wait_for("late", timeout=10).message == "late"
    later.join()


def test_records_before_the_mark_do_not_count(pipe: tuple[ServerLog, Writer]) -> None:
    log, writer = pipe
    writer.record("info", "first")
    log.wait_for("first", timeout=30)
    mark = log.mark()

    with pytest.raises(LogTimeoutError):
        log.wait_for("first", since=mark, timeout=0.05)


def test_a_timeout_shows_what_was_logged_instead(pipe: tuple[ServerLog, Writer]) -> None:
    log, writer = pipe
    writer.record("error", "something else", reason="this")
    log.wait_for("something else", timeout=30)

    with pytest.raises(LogTimeoutError, match=r"nothing in 0\.05 s.*\n.*error: something else.*this"):
        log.wait_for("never", timeout=0.05)


def test_the_end_of_the_server_ends_the_wait(pipe: tuple[ServerLog, Writer]) -> None:
    log, writer = pipe
    threading.Timer(0.05, writer.close).start()

    with pytest.raises(LogTimeoutError, match="the server ended"):
        log.wait_for("never", timeout=30)


def test_lines_that_are_no_records_are_kept_as_they_are(
    pipe: tuple[ServerLog, Writer], tmp_path: Path
) -> None:
    log, writer = pipe
    writer.raw("panic: something")
    writer.raw("[1, 2]")

    assert log.wait_for("panic").level == ""
    assert log.wait_for("[1, 2]").fields == {}
    assert (tmp_path / "copy.log").read_text() == "panic: something\n[1, 2]\n"
