"""A blocked event loop is told in the log, while it is blocked, with what blocks it."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time

import pytest

from mattermost_plugin import CommandArgs, Context, Plugin
from mattermost_plugin._runtime.loop_watch import watch_loop
from tests.unit.runtime.host import active

BLOCKING = """
import os, time
from mattermost_plugin import AsyncPlugin, CommandResponse, Plugin
class Blocking(BASE):
    loop_blocked_after = LIMIT
    async def execute_command(self, ctx, args):
        wait_for_a_file(args.command)
        return CommandResponse(text="done")
def wait_for_a_file(path):
    while not os.path.exists(path):
        time.sleep(0.01)
if __name__ == "__main__": Blocking.run()
"""


def plugin(base: str, limit: str) -> str:
    return BLOCKING.replace("BASE", base).replace("LIMIT", limit)


@pytest.mark.parametrize("base", ["AsyncPlugin", "Plugin"])
def test_a_blocked_loop_is_a_warning_with_the_stack_while_it_lasts(base, tmp_path):
    go_on = tmp_path / "go-on"
    with active(plugin(base, "0.2")) as host:
        answers = []

        def command():
            answers.append(host.hook("execute_command", Context(), CommandArgs(command=str(go_on))).text)

        thread = threading.Thread(target=command)
        thread.start()
        try:
            line = host.wait_for_log("has been blocked for")
            assert not answers
        finally:
            go_on.touch()
            thread.join()
        assert line["@level"] == "warn"
        assert "wait_for_a_file" in line["stack"]
        assert "execute_command" in line["stack"]
        assert "events.py" not in line["stack"]
        host.wait_for_log("runs again after")
        assert len([text for text in host.messages() if "has been blocked" in text]) == 1


@pytest.mark.parametrize("limit", ["None", "0"])
def test_without_a_limit_nothing_is_said(limit, tmp_path):
    code = plugin("AsyncPlugin", limit).replace("wait_for_a_file(args.command)", "time.sleep(1.5)")
    with active(code) as host:
        host.hook("execute_command", Context(), CommandArgs())
        assert host.shutdown() == 0
        assert host.log == []


def test_c_code_that_keeps_the_interpreters_lock_is_found_afterwards():
    code = """
    import re, time
    from mattermost_plugin import AsyncPlugin, CommandResponse
    class P(AsyncPlugin):
        loop_blocked_after = 0.2
        async def execute_command(self, ctx, args):
            backtracks_with_the_lock()
            return CommandResponse(text="done")
    def backtracks_with_the_lock():
        length, took = 18, 0.0
        while took < 0.9:
            length, began = length + 1, time.perf_counter()
            re.match("(a+)+$", "a" * length + "b")
            took = time.perf_counter() - began
    if __name__ == "__main__": P.run()
    """
    with active(code) as host:
        host.hook("execute_command", Context(), CommandArgs())
        assert "backtracks_with_the_lock" in host.wait_for_log("has been blocked for")["stack"]


def test_a_process_that_was_stopped_has_no_blocked_loop():
    code = """
    from mattermost_plugin import AsyncPlugin, CommandResponse
    class P(AsyncPlugin):
        loop_blocked_after = 0.2
        async def execute_command(self, ctx, args):
            return CommandResponse(text="here")
    if __name__ == "__main__": P.run()
    """
    with active(code) as host:
        for _ in range(3):
            os.kill(host.process.pid, signal.SIGSTOP)
            time.sleep(0.7)
            os.kill(host.process.pid, signal.SIGCONT)
            assert host.hook("execute_command", Context(), CommandArgs()).text == "here"
        assert host.shutdown() == 0
        assert not [text for text in host.messages() if "blocked" in text]


def test_a_watch_tells_for_how_long_the_loop_is_blocked_and_where():
    def block_the_loop(reached: threading.Event, over: threading.Event) -> None:
        reached.set()
        over.wait()

    async def main() -> None:
        reached, over = threading.Event(), threading.Event()
        watch = watch_loop(asyncio.get_running_loop(), 60, None, "tested")
        # The watch asks every second; seen from another thread, as the loop can tell nothing.
        seen: list[tuple[float, str]] = []

        def look() -> None:
            reached.wait()
            while watch.blocked_for() == 0:
                time.sleep(0.01)
            seen.append((watch.blocked_for(), watch.stack()))
            over.set()

        looking = threading.Thread(target=look)
        looking.start()
        block_the_loop(reached, over)
        looking.join()
        watch.stop()
        ((seconds, stack),) = seen
        assert seconds > 0
        assert "block_the_loop" in stack

    asyncio.run(main())


@pytest.mark.parametrize(
    ("value", "error", "said"),
    [
        ("soon", TypeError, "seconds or None, not str"),
        (True, TypeError, "seconds or None, not bool"),
        (-1, ValueError, "0 \\(no warning\\) or more"),
        (float("nan"), ValueError, "0 \\(no warning\\) or more"),
    ],
)
def test_a_limit_that_is_none_is_refused_with_the_class(value, error, said):
    with pytest.raises(error, match=f"loop_blocked_after must be {said}"):
        type("Wrong", (Plugin,), {"loop_blocked_after": value})
