"""Log lines of a process whose host reads slowly, or not at all."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from mattermost_plugin._runtime.log_writer import LogWriter
from tests.unit.runtime.test_log import run


class Pipe:
    """A writer and the reader of what it writes."""

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()
        self.writer = LogWriter(self._writing)

    def read_some(self) -> bytes:
        return os.read(self._reading, 64 << 10)

    def rest(self) -> list[dict]:
        """All lines, once the writer has written what it has; nothing is to be read before."""
        data = bytearray()
        reading = threading.Thread(target=self._collect, args=(data,))
        reading.start()
        self.writer.flush(60)
        os.close(self.writer._fd)
        os.close(self._writing)
        reading.join()
        os.close(self._reading)
        return [json.loads(line) for line in data.splitlines()]

    def _collect(self, data: bytearray) -> None:
        while piece := self.read_some():
            data += piece


def write(writer: LogWriter, number: int, level: str = "info") -> None:
    writer.write(level, f"line {number} " + "." * 200, "test", time.time(), {"number": number})


def test_an_event_loop_is_not_held_up_and_what_is_lost_is_counted():
    pipe = Pipe()
    written = 40_000

    async def flood() -> None:
        for number in range(written):
            write(pipe.writer, number)

    asyncio.run(flood())  # nobody reads: this would never end
    write(pipe.writer, -1, "error")
    lines = pipe.rest()
    numbers = [line["number"] for line in lines if "number" in line]
    (lost,) = [line for line in lines if "lost" in line["@message"]]
    assert lost["@level"] == "warn"
    assert lost["lost_info"] == written - (len(numbers) - 1) > 0
    # An error finds room where there is none for others.
    assert numbers == [*range(len(numbers) - 1), -1]


def test_a_thread_that_floods_the_log_is_slowed_down_and_loses_nothing():
    pipe = Pipe()
    written = 40_000
    data = bytearray()

    def read_slowly() -> None:
        while data.count(b"\n") < written:
            time.sleep(0.001)
            data.extend(pipe.read_some())

    reading = threading.Thread(target=read_slowly)
    reading.start()
    for number in range(written):
        write(pipe.writer, number)
    reading.join()
    assert [json.loads(line)["number"] for line in data.splitlines()] == list(range(written))
    assert pipe.rest() == []


def test_lines_that_the_host_reads_at_once_need_no_thread():
    pipe = Pipe()
    before = threading.active_count()
    write(pipe.writer, 1)
    assert threading.active_count() == before
    assert [line["number"] for line in pipe.rest()] == [1]


def test_identical_lines_are_counted():
    pipe = Pipe()
    for message in ["a"] + ["b"] * 1000 + ["c", "c"] + ["a"]:
        pipe.writer.write("warn", message, "test", time.time(), {"field": 1})
    assert [line["@message"] for line in pipe.rest()] == ["a", "b", "b (repeated 999 times)", "c", "c", "a"]


def test_lines_of_other_levels_names_or_fields_are_not_identical():
    pipe = Pipe()
    said = [("warn", "x", 1), ("error", "x", 1), ("error", "y", 1), ("error", "y", 2)]
    for level, module, field in said:
        pipe.writer.write(level, "same", module, time.time(), {"field": field})
    assert [(line["@level"], line["@module"], line["field"]) for line in pipe.rest()] == said


def test_the_number_of_repeats_is_written_although_nothing_else_is_logged():
    pipe = Pipe()
    for _ in range(5):
        pipe.writer.write("info", "again", "test", time.time())
    data = b""
    while data.count(b"\n") < 2:
        data += pipe.read_some()
    assert json.loads(data.splitlines()[1])["@message"] == "again (repeated 4 times)"
    assert pipe.rest() == []


@pytest.mark.parametrize("end", ["os._exit(3)", "os.kill(os.getpid(), signal.SIGKILL)", "os.abort()"])
def test_the_last_line_is_there_however_the_process_ends(end):
    lines, done = run(
        f"""
        import faulthandler, os, signal
        faulthandler.disable()
        try:
            1 / 0
        except ZeroDivisionError:
            logging.exception("the last one")
        {end}
        """
    )
    assert "ZeroDivisionError" in lines[-1]["traceback"]
    assert done.returncode != 0


def test_a_host_that_does_not_read_does_not_keep_the_process_from_ending():
    code = """
    import logging
    from mattermost_plugin._runtime.log import install
    install()
    for number in range(5000):
        logging.info("line %d %s", number, "." * 200)
    """
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stderr=subprocess.PIPE) as process:
        assert process.wait(60) == 0


def test_a_forked_child_logs_although_another_thread_was_writing():
    lines, done = run(
        """
        import os, threading, warnings
        warnings.simplefilter("ignore")
        over = threading.Event()
        def flood():
            number = 0
            while not over.is_set():
                number += 1
                logging.debug("flood %d", number)
        for _ in range(3): threading.Thread(target=flood).start()
        children = []
        for number in range(50):
            child = os.fork()
            if not child:
                logging.warning("child %d", number)
                os._exit(0)
            children.append(child)
        for child in children: os.waitpid(child, 0)
        over.set()
        """
    )
    assert done.returncode == 0
    said = {line["@message"] for line in lines if line["@level"] == "warn"}
    assert said == {f"child {number}" for number in range(50)}
