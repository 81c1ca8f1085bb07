"""How the measured plugins time what they call by themselves."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

MESSAGE = "A message of ordinary length, created by a plugin."


def timed(callers: int, duration: int, once: Callable[[], object]) -> str:
    """Call `once` from so many threads for so many nanoseconds, at least once each.

    Returns:
        How many calls there were; nanoseconds of all together, of the median, of the 99th percentile.
    """
    times: list[int] = []
    ends: list[int] = []
    start = 0

    def all_are_there() -> None:
        nonlocal start
        start = time.perf_counter_ns()

    # What it takes to start threads is not what is measured.
    ready = threading.Barrier(callers, all_are_there)

    def run() -> None:
        own = []
        ready.wait()
        begin = time.perf_counter_ns()
        until = start + duration
        while True:
            once()
            end = time.perf_counter_ns()
            own.append(end - begin)
            if end >= until:
                break
            begin = end
        times.extend(own)
        ends.append(end)

    if callers == 1:
        run()
    else:
        threads = [threading.Thread(target=run) for _ in range(callers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return _said(max(ends) - start, times)


async def timed_async(callers: int, duration: int, once: Callable[[], Awaitable[object]]) -> str:
    """Call `once` from so many tasks, as `timed` does from threads."""
    times: list[int] = []
    start = time.perf_counter_ns()
    until = start + duration

    async def run() -> int:
        begin = time.perf_counter_ns()
        while True:
            await once()
            end = time.perf_counter_ns()
            times.append(end - begin)
            if end >= until:
                return end
            begin = end

    ends = await asyncio.gather(*(run() for _ in range(callers)))
    return _said(max(ends) - start, times)


def _said(elapsed: int, times: list[int]) -> str:
    times.sort()
    return f"{len(times)} {elapsed} {times[len(times) // 2]} {times[len(times) * 99 // 100]}"
