"""Threads that call at once stay on one processor, and nothing else does."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from mattermost_plugin._grpc.threads.together import stay_together
from mattermost_plugin._grpc.threads.turns import this_caller

if TYPE_CHECKING:
    from collections.abc import Callable

if sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2:
    pytest.skip("needs Linux and a second processor", allow_module_level=True)

ALL = os.sched_getaffinity(0)
CHILD = "import os; print(len(os.sched_getaffinity(0)))"


def on_a_thread(run: Callable[[], object]) -> None:
    """Run on a thread of its own, whose processors are nobody else's concern."""
    failures: list[BaseException] = []

    def guarded() -> None:
        try:
            run()
        except BaseException as error:  # noqa: BLE001 - raised again below
            failures.append(error)

    thread = threading.Thread(target=guarded)
    thread.start()
    thread.join()
    if failures:
        raise failures[0]


def eventually(condition: Callable[[], bool]) -> bool:
    until = time.monotonic() + 30
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.002)
    return True


def test_threads_that_call_are_on_one_processor() -> None:
    barrier = threading.Barrier(4)
    seen: list[set[int]] = []

    def call() -> None:
        def together() -> bool:
            barrier.wait()
            stay_together(this_caller())
            seen.append(os.sched_getaffinity(0))
            barrier.wait()
            same = (
                all(len(processors) == 1 for processors in seen[-4:]) and len(set(map(tuple, seen[-4:]))) == 1
            )
            barrier.wait()
            return same

        # A term may end between two of the threads; not again and again.
        assert eventually(together)

    on_threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in on_threads:
        thread.start()
    for thread in on_threads:
        thread.join()
    assert len(seen) >= 4
    assert os.sched_getaffinity(0) == ALL


def test_a_thread_that_calls_no_more_is_let_go() -> None:
    def call() -> None:
        stay_together(this_caller())
        assert eventually(lambda: os.sched_getaffinity(0) == ALL)

    on_a_thread(call)


def test_a_thread_that_keeps_calling_is_let_go_now_and_then() -> None:
    def call() -> None:
        def again() -> bool:
            free = os.sched_getaffinity(0) == ALL
            stay_together(this_caller())
            return free

        again()
        assert eventually(again)

    on_a_thread(call)


def test_a_process_inherits_no_restriction() -> None:
    def call() -> None:
        def restricted() -> bool:
            stay_together(this_caller())
            return len(os.sched_getaffinity(0)) == 1

        assert eventually(restricted)  # a term may end at once
        output = subprocess.run([sys.executable, "-c", CHILD], check=True, stdout=subprocess.PIPE, text=True)
        assert int(output.stdout) == len(ALL)

    on_a_thread(call)


def test_threads_started_by_one_that_calls_are_let_go() -> None:
    def call() -> None:
        result: list[bool] = []
        stay_together(this_caller())
        started = threading.Thread(
            target=lambda: result.append(eventually(lambda: os.sched_getaffinity(0) == ALL))
        )
        started.start()
        started.join()
        assert result == [True]

    on_a_thread(call)


def test_a_started_thread_that_calls_too_gets_all_processors_back() -> None:
    def call() -> None:
        result: list[bool] = []

        def inner() -> None:
            stay_together(this_caller())
            result.append(eventually(lambda: os.sched_getaffinity(0) == ALL))

        stay_together(this_caller())
        started = threading.Thread(target=inner)
        started.start()
        started.join()
        assert result == [True]

    on_a_thread(call)


def test_a_thread_that_may_use_one_processor_keeps_it() -> None:
    only = {min(ALL)}

    def call() -> None:
        os.sched_setaffinity(0, only)
        for _ in range(20):
            stay_together(this_caller())
            time.sleep(0.002)
            assert os.sched_getaffinity(0) == only

    on_a_thread(call)
