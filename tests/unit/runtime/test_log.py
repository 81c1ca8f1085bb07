"""What a plugin logs and prints, as a host reads it from a real process's stderr."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
import time
from datetime import datetime

import pytest

# The one form that go-plugin parses: microseconds, and Z or an offset.
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")

# go-plugin reads lines through a buffer of this size.
LONGEST = 64 * 1024


def run(code: str, level: str = "") -> tuple[list[dict], subprocess.CompletedProcess]:
    """Run code in a process whose output is the host's log; return its log lines."""
    head = f"from mattermost_plugin._runtime.log import install\nimport logging, sys\ninstall({level!r})\n"
    done = subprocess.run(
        [sys.executable, "-c", head + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return [json.loads(line) for line in done.stderr.splitlines()], done


def test_a_record_is_one_line_with_level_name_message_and_time():
    lines, done = run("logging.getLogger('my.part').warning('hello %s', 'world')")
    (line,) = lines
    assert TIMESTAMP.fullmatch(line.pop("@timestamp"))
    assert line == {"@level": "warn", "@message": "hello world", "@module": "my.part"}
    assert done.stdout == ""


def test_the_time_is_the_records_own():
    before = time.time()
    (line,), _ = run("logging.error('x')")
    after = time.time()
    then = datetime.strptime(line["@timestamp"], "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()
    assert before <= then <= after


@pytest.mark.parametrize(
    ("number", "level"),
    [(5, "trace"), (10, "debug"), (15, "debug"), (20, "info"), (30, "warn"), (40, "error"), (50, "error")],
)
def test_levels_are_named_as_hclog_names_them(number, level):
    (line,), _ = run(f"logging.log({number}, 'x')", level="trace")
    assert line["@level"] == level


@pytest.mark.parametrize(
    ("level", "heard"),
    [
        ("", ["debug", "info", "warn", "error"]),
        ("info", ["info", "warn", "error"]),
        ("WARN", ["warn", "error"]),
        ("error", ["error"]),
        ("off", []),
        ("trace", ["trace", "debug", "info", "warn", "error"]),
        ("nonsense", ["debug", "info", "warn", "error"]),
    ],
)
def test_the_hosts_level_decides_what_is_sent(level, heard):
    lines, _ = run("for number in (5, 10, 20, 30, 40): logging.log(number, 'x')", level=level)
    assert [line["@level"] for line in lines] == heard


def test_extra_becomes_fields_of_their_types():
    lines, _ = run(
        """
        extra = {"user": "u1", "count": 3, "big": 2**70, "ratio": 0.5, "yes": True, "none": None,
                 "list": [1, "a"], "map": {"k": [None]}, "set": {1}, "nan": float("nan"), "@level": "fake"}
        logging.info("x", extra=extra)
        """
    )
    (line,) = lines
    assert line["@level"] == "info"
    del line["@timestamp"], line["@module"], line["@message"], line["@level"]
    assert line == {
        "user": "u1",
        "count": 3,
        "big": str(2**70),
        "ratio": 0.5,
        "yes": True,
        "none": None,
        "list": [1, "a"],
        "map": {"k": [None]},
        "set": "{1}",
        "nan": "nan",
        "level": "fake",
    }


def test_values_that_cannot_be_shown_do_not_lose_the_record():
    lines, _ = run(
        """
        class Bad:
            def __str__(self): raise ValueError("no")
            __repr__ = __str__
        cycle = []
        cycle.append(cycle)
        logging.info("x", extra={"bad": Bad(), "cycle": cycle, "keys": {(1, 2): 3}})
        """
    )
    (line,) = lines
    assert line["bad"] == "<Bad whose str() raised ValueError>"
    assert line["cycle"] == "[[...]]"
    assert line["keys"] == "{(1, 2): 3}"


def test_an_exception_is_the_field_traceback():
    lines, _ = run(
        """
        try:
            1 / 0
        except ZeroDivisionError:
            logging.exception("it broke")
        """
    )
    (line,) = lines
    assert (line["@level"], line["@message"]) == ("error", "it broke")
    assert line["traceback"].startswith("Traceback (most recent call last):\n")
    assert line["traceback"].endswith("ZeroDivisionError: division by zero")


def test_a_record_that_cannot_be_formatted_is_shown_as_given():
    (line,), _ = run("logging.getLogger('m').info('%d items', 'many')")
    assert line["@level"] == "error"
    assert "'%d items'" in line["@message"]
    assert "many" in line["@message"]
    assert "TypeError" in line["traceback"]


def test_print_becomes_info_lines_and_stderr_warn_lines():
    lines, done = run(
        "print('one\\ntwo', 3); print('oops', file=sys.stderr); sys.stdout.buffer.write(b'raw\\n')"
    )
    assert [(line["@level"], line["@module"], line["@message"]) for line in lines] == [
        ("info", "stdout", "one"),
        ("info", "stdout", "two 3"),
        ("warn", "stderr", "oops"),
        ("info", "stdout", "raw"),
    ]
    assert done.stdout == ""


def test_an_unfinished_line_waits_for_its_end_and_is_flushed_at_exit():
    lines, _ = run("print('a', end='', flush=True); print('b'); print('last', end='')")
    assert [line["@message"] for line in lines] == ["ab", "last"]


def test_lines_of_threads_do_not_mix():
    lines, _ = run(
        """
        import threading
        barrier = threading.Barrier(4)
        def talk(letter):
            barrier.wait()
            for n in range(200):
                sys.stdout.write(letter * 5)
                sys.stdout.write(letter * 5 + f" {n}\\n")
        threads = [threading.Thread(target=talk, args=(letter,)) for letter in "abcd"]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        """
    )
    assert len(lines) == 800
    assert {line["@message"] for line in lines} == {
        f"{letter * 10} {n}" for letter in "abcd" for n in range(200)
    }


def test_a_handler_that_prints_does_not_call_itself():
    lines, _ = run(
        """
        class Printing(logging.Handler):
            def emit(self, record): print("printed", record.getMessage())
        logging.getLogger().addHandler(Printing())
        logging.getLogger().addHandler(logging.StreamHandler())
        logging.warning("once")
        """
    )
    assert [(line["@module"], line["@message"]) for line in lines] == [
        ("root", "once"),
        ("stdout", "printed once"),
    ]


def test_a_stream_handler_from_before_does_not_double_records():
    code = """
    import logging
    logging.basicConfig(level=logging.INFO)
    from mattermost_plugin._runtime.log import install
    install("")
    logging.info("once")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=30, check=True
    )
    (line,) = done.stderr.splitlines()
    assert json.loads(line)["@message"] == "once"


def test_warnings_are_logged():
    lines, _ = run("import warnings; warnings.warn('old')")
    (line,) = lines
    assert (line["@level"], line["@module"]) == ("warn", "py.warnings")
    assert "UserWarning: old" in line["@message"]


def test_an_uncaught_exception_is_logged_once_and_ends_the_process():
    lines, done = run("raise RuntimeError('fatal')")
    (line,) = lines
    assert (line["@level"], line["@message"]) == ("error", "Uncaught exception: RuntimeError: fatal")
    assert "Traceback" in line["traceback"]
    assert done.returncode == 1


def test_an_uncaught_exception_in_a_thread_is_logged_once():
    lines, done = run(
        """
        import threading
        def fail(): raise KeyError("gone")
        thread = threading.Thread(target=fail, name="worker-7")
        thread.start(); thread.join()
        """
    )
    (line,) = lines
    assert line["@level"] == "error"
    assert "worker-7" in line["@message"]
    assert "KeyError: 'gone'" in line["traceback"]
    assert done.returncode == 0


def test_an_exception_in_a_finalizer_is_logged():
    lines, _ = run(
        """
        class Bad:
            def __del__(self): raise ValueError("late")
        Bad()
        """
    )
    (line,) = lines
    assert line["@level"] == "error"
    assert "ValueError: late" in line["traceback"]


def test_a_long_message_becomes_several_lines_that_a_host_can_read():
    lines, done = run("logging.info('ä' * 50_000, extra={'id': 7})")
    assert max(map(len, done.stderr.splitlines())) < LONGEST
    assert "".join(line["@message"] for line in lines) == "ä" * 50_000
    assert [line["part"] for line in lines] == [f"{n}/{len(lines)}" for n in range(1, len(lines) + 1)]
    assert all(line["id"] == 7 for line in lines)


def test_a_long_field_becomes_several_lines_too():
    lines, done = run("logging.info('head', extra={'blob': 'x' * 100_000, 'id': 7})")
    assert max(map(len, done.stderr.splitlines())) < LONGEST
    assert "".join(line.get("blob", "") for line in lines) == "x" * 100_000
    assert {line["@message"] for line in lines} == {"head"}


def test_a_print_without_line_ends_does_not_grow_without_bound():
    lines, done = run("for n in range(100): sys.stdout.write(f'{n:04}' * 250)")
    assert max(map(len, done.stderr.splitlines())) < LONGEST
    assert "".join(line["@message"] for line in lines) == "".join(f"{n:04}" * 250 for n in range(100))


def test_line_separators_and_control_characters_stay_inside_one_line():
    text = "a\u2028b\x00c\r\x1b[1m\ud800"
    (line,), _ = run(f"logging.info({text!a})")
    assert line["@message"] == text


def test_a_closed_stderr_does_not_stop_the_plugin():
    _, done = run("import os; os.close(2); logging.info('x'); print('y'); os.write(1, b'alive')")
    assert done.stdout == "alive"
    assert done.returncode == 0


def test_filters_of_the_handler_drop_and_change_records():
    lines, _ = run(
        """
        (handler,) = logging.getLogger().handlers
        handler.addFilter(lambda record: "secret" not in record.getMessage())
        logging.info("secret")
        logging.info("open")
        """
    )
    assert [line["@message"] for line in lines] == ["open"]
