"""A Python client under load as a process: `call.py aio|uvloop|threads|grpcio PATH SECONDS CALLERS`."""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

METHOD = "/bench.Echo/Call"
REQUEST = bytes(178)


def result(callers: int, seconds: float, took: list[float]) -> dict[str, float]:
    ordered = sorted(took)
    return {
        "callers": callers,
        "per_second": len(took) / seconds,
        "median_us": statistics.median(ordered) * 1e6,
        "p99_us": ordered[int(0.99 * (len(ordered) - 1))] * 1e6,
    }


def call_on_threads(call: Callable[[bytes], bytes], callers: int, seconds: float) -> dict[str, float]:
    took: list[list[float]] = [[] for _ in range(callers)]
    end = time.perf_counter() + seconds

    def run(mine: list[float]) -> None:
        while (begin := time.perf_counter()) < end:
            call(REQUEST)
            mine.append(time.perf_counter() - begin)

    threads = [threading.Thread(target=run, args=(mine,)) for mine in took]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return result(callers, seconds, [value for mine in took for value in mine])


async def call_on_loop(target: str, callers: int, seconds: float) -> dict[str, float]:
    from mattermost_plugin._grpc.aio import Channel

    channel = Channel(target)
    call = channel.unary_unary(METHOD, bytes, bytes)
    took: list[float] = []
    await call(REQUEST)
    end = time.perf_counter() + seconds

    async def run() -> None:
        while (begin := time.perf_counter()) < end:
            await call(REQUEST)
            took.append(time.perf_counter() - begin)

    await asyncio.gather(*(run() for _ in range(callers)))
    await channel.close()
    return result(callers, seconds, took)


def measure(kind: str, target: str, callers: int, seconds: float) -> dict[str, float]:
    if kind == "threads":
        from mattermost_plugin._grpc.threads import Channel

        channel: Any = Channel(target)
        call = channel.unary_unary(METHOD, bytes, bytes)
    elif kind == "grpcio":
        import grpc

        channel = grpc.insecure_channel(target)
        call = channel.unary_unary(METHOD)
    elif kind == "uvloop":
        import uvloop

        measured: dict[str, float] = uvloop.run(call_on_loop(target, callers, seconds))
        return measured
    else:
        return asyncio.run(call_on_loop(target, callers, seconds))
    call_on_threads(call, callers, 0.2)
    measured = call_on_threads(call, callers, seconds)
    channel.close()
    return measured


def main() -> None:
    kind, path, seconds, counts = sys.argv[1:5]
    results = [measure(kind, f"unix:{path}", int(count), float(seconds)) for count in counts.split(",")]
    print(json.dumps(results))


if __name__ == "__main__":
    main()
