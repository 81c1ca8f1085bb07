"""What a call leaves behind: nothing that only Python's search for cycles would find."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mattermost_plugin._grpc import Handler, Kind, RpcError, StatusCode, aio, threads
from tests.conformance.faces import FACES, Face
from tests.unit.grpc.test_drivers import RunningServer, echo

CALLS = 50

UNARY = "/test.Service/Unary"
PLAIN = "/test.Service/Plain"
FAILING = "/test.Service/Failing"
STREAM = "/test.Service/Stream"


def fail(request: bytes, call: Any) -> bytes:
    call.abort(StatusCode.NOT_FOUND, "no such thing")


def three(request: bytes, call: Any) -> Iterator[bytes]:
    yield from (request, request, request)


async def echo_async(request: bytes, call: Any) -> bytes:
    return request


async def three_async(request: bytes, call: Any) -> AsyncIterator[bytes]:
    for _ in range(3):
        yield request


def handlers(driver: str) -> dict[str, Handler]:
    asynchronous = driver == "aio"
    return {
        UNARY: Handler(Kind.UNARY_UNARY, echo_async if asynchronous else echo, bytes, bytes),
        PLAIN: Handler(Kind.UNARY_UNARY, echo, bytes, bytes),
        FAILING: Handler(Kind.UNARY_UNARY, fail, bytes, bytes),
        STREAM: Handler(Kind.UNARY_STREAM, three_async if asynchronous else three, bytes, bytes),
    }


def call(face: Face, path: str) -> None:
    if path == STREAM:
        assert list(face.receive_all(path, b"1")) == [b"1"] * 3
    elif path == FAILING:
        with pytest.raises(RpcError):
            face.unary(path, b"1")
    else:
        assert face.unary(path, b"1") == b"1"


def left_by(work: Callable[[], None]) -> Counter[str]:
    """Return the types of the objects that were left for the search for cycles, and how many there are."""
    gc.collect()
    gc.disable()
    try:
        work()
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        return Counter(type(thing).__qualname__ for thing in gc.garbage)
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


@pytest.mark.parametrize("path", [UNARY, PLAIN, FAILING, STREAM])
@pytest.mark.parametrize("client_driver", ["aio", "threads"])
@pytest.mark.parametrize("driver", ["aio", "threads"])
def test_a_call_leaves_no_cycles(driver: str, client_driver: str, path: str, tmp_path: Path) -> None:
    server = RunningServer(driver, handlers(driver))
    server.server.listen_unix(str(tmp_path / "s"))
    server.start()
    try:
        with FACES[client_driver](f"unix:{tmp_path / 's'}") as face:
            call(face, path)  # connects

            def calls() -> None:
                for _ in range(CALLS):
                    call(face, path)

            left = left_by(calls)
    finally:
        server.stop()
    assert {name: count for name, count in left.items() if count >= CALLS // 2} == {}


@pytest.mark.parametrize("driver", [aio, threads])
def test_a_stream_call_that_cannot_be_made_leaves_nothing_to_complain_of(driver: Any) -> None:
    method = driver.Channel("unix:/nobody/listens").unary_stream(STREAM, bytes, bytes)
    # What fails when the call is freed is an error of this test, as pytest is told.
    with pytest.raises(ValueError, match="Bad Key"):
        method(b"", metadata=(("Bad Key", "value"),))
    gc.collect()
