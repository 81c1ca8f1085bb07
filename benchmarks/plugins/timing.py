"""How the measured plugins time what they call by themselves."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

MESSAGE = "A message of ordinary length, created by a plugin."


def timed(callers: int, calls: int, once: Callable[[], object]) -> str:
    """Call `once` from so many threads, so many times in all; return nanoseconds: all, median, p99."""
    times: list[int] = []
    start = 0

    def all_are_there() -> None:
        nonlocal start
        start = time.perf_counter_ns()

    # What it takes to start threads is not what is measured.
    ready = threading.Barrier(callers, all_are_there)

    def run() -> None:
        own = []
        ready.wait()
        for _ in range(calls // callers):
            begin = time.perf_counter_ns()
            once()
            own.append(time.perf_counter_ns() - begin)
        times.extend(own)

    if callers == 1:
        run()
    else:
        threads = [threading.Thread(target=run) for _ in range(callers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return _said(time.perf_counter_ns() - start, times)


async def timed_async(callers: int, calls: int, once: Callable[[], Awaitable[object]]) -> str:
    """Call `once` from so many tasks, as `timed` does from threads."""
    times: list[int] = []

    async def run() -> None:
        for _ in range(calls // callers):
            begin = time.perf_counter_ns()
            await once()
            times.append(time.perf_counter_ns() - begin)

    start = time.perf_counter_ns()
    await asyncio.gather(*(run() for _ in range(callers)))
    return _said(time.perf_counter_ns() - start, times)


def _said(elapsed: int, times: list[int]) -> str:
    times.sort()
    return f"{elapsed} {times[len(times) // 2]} {times[len(times) * 99 // 100]}"
