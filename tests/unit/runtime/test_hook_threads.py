"""Plain hooks of an `AsyncPlugin` find a thread, whatever the others wait for."""

from __future__ import annotations

import asyncio
import threading

import pytest

from mattermost_plugin import AsyncPlugin
from mattermost_plugin._runtime.hook_threads import HookThreads


def test_hooks_that_wait_for_hooks_of_their_own_all_end():
    threads = HookThreads(10)

    async def main() -> list[str]:
        loop = asyncio.get_running_loop()
        began = threading.Barrier(100)

        def outer() -> str:
            began.wait()  # all are there before the first inner one begins
            return asyncio.run_coroutine_threadsafe(threads.run(str.upper, "inner"), loop).result()

        return await asyncio.gather(*(threads.run(outer) for _ in range(100)))

    assert asyncio.run(main()) == ["INNER"] * 100


def test_an_idle_thread_is_used_again():
    threads = HookThreads(10)

    async def main() -> set[int]:
        seen = set()
        for _ in range(20):
            seen.add(await threads.run(threading.get_ident))
            while not threads._idle:  # noqa: ASYNC110 - the thread tells nobody that it is idle
                await asyncio.sleep(0.001)
        return seen

    assert len(asyncio.run(main())) == 1


@pytest.mark.parametrize("value", [0, True, "many", None])
def test_a_number_that_is_none_is_refused(value):
    with pytest.raises(TypeError, match="hook_threads must be an int of at least 1"):
        type("Wrong", (AsyncPlugin,), {"hook_threads": value})
