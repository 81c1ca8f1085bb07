"""Looking for what comes next: given up where it does not pay, and never in anybody's way."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from mattermost_plugin._grpc import patience
from mattermost_plugin._grpc.handlers import Handler, Kind
from mattermost_plugin._grpc.patience import Lookout, Patience
from mattermost_plugin._grpc.threads import Channel, Server

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "_ALONE", False)


def test_what_is_in_vain_is_tried_only_now_and_then() -> None:
    subject = Patience()
    for _ in range(8):
        assert subject.wants_to_look()
        subject.gave_up()
    wanted = [subject.wants_to_look() for _ in range(640)]
    assert sum(wanted) == 10


def test_one_success_is_enough_to_look_again() -> None:
    subject = Patience()
    for _ in range(20):
        subject.gave_up()
    subject.found()
    assert subject.wants_to_look()


def test_behind_many_messages_nobody_looks_until_few_come_together() -> None:
    subject = Patience()
    subject.came(3)
    assert not subject.wants_to_look()
    subject.came(2)
    assert subject.wants_to_look()


def test_with_one_processor_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "_ALONE", True)
    assert not Patience().wants_to_look()


def test_a_loop_looks_for_a_moment_only() -> None:
    async def main() -> None:
        turns = 0
        loop = asyncio.get_running_loop()
        lookout = Lookout(loop)
        for _ in range(3):
            lookout.look()
            await asyncio.sleep(0.01)
        call_soon = loop.call_soon

        def counting(*args: Any, **kwargs: Any) -> Any:
            nonlocal turns
            turns += 1
            return call_soon(*args, **kwargs)

        loop.call_soon = counting  # type: ignore[method-assign, assignment]
        await asyncio.sleep(0.01)
        assert turns < 5

    asyncio.run(main())


@pytest.fixture
def given_way(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    times: list[int] = []
    monkeypatch.setattr(patience, "_sched_yield", lambda: times.append(1))
    return times


def test_a_loop_gives_way_while_it_looks(given_way: list[int]) -> None:
    async def main() -> None:
        Lookout(asyncio.get_running_loop()).look()
        await asyncio.sleep(0.01)

    asyncio.run(main())
    assert given_way


def test_threads_give_way_while_they_look(tmp_path: Path, given_way: list[int]) -> None:
    server = Server({"/a/B": Handler(Kind.UNARY_UNARY, lambda request, _call: request, bytes, bytes)})
    path = server.listen_unix(str(tmp_path / "socket"))
    server.start()
    channel = Channel(f"unix:{path}")
    try:
        for number in range(50):
            assert channel.unary_unary("/a/B", bytes, bytes)(b"%d" % number) == b"%d" % number
    finally:
        channel.close()
        server.stop()
    assert given_way


def test_a_handler_that_takes_long_after_quick_calls_holds_nobody_up(tmp_path: Path) -> None:
    release = threading.Event()

    def answer(request: bytes, _call: Any) -> bytes:
        if request == b"slow":
            assert release.wait(60)
        return request

    def same(data: bytes) -> bytes:
        return data

    server = Server({"/a/B": Handler(Kind.UNARY_UNARY, answer, same, same)})
    path = server.listen_unix(str(tmp_path / "socket"))
    server.start()
    channel = Channel(f"unix:{path}")
    call = channel.unary_unary("/a/B", same, same)
    try:
        for number in range(300):  # one after the other, so that the server looks for the next one
            assert call(b"%d" % number) == b"%d" % number
        answers: list[bytes] = []
        slow = threading.Thread(target=lambda: answers.append(call(b"slow")))
        slow.start()
        time.sleep(0.01)
        for number in range(300):
            assert call(b"%d" % number) == b"%d" % number
        assert not answers
        release.set()
        slow.join(60)
        assert answers == [b"slow"]
    finally:
        release.set()
        channel.close()
        server.stop()
