"""API methods that move files, on both faces, served by grpcio."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import io
import os
import queue
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest

from mattermost_plugin import AppError, DeadlineExceeded, FileInfo, NotFound, UploadSession
from mattermost_plugin._grpc.aio import Channel as AsyncChannel
from mattermost_plugin._grpc.threads import Channel
from mattermost_plugin._runtime.faces import ChannelTransport
from mattermost_plugin._runtime.faces_async import AsyncChannelTransport
from mattermost_plugin._runtime.faces_blocking import LoopTransport
from mattermost_plugin.api import API, AsyncAPI
from mattermost_plugin.files import AsyncReader
from tests.unit.runtime.file_host import Endless, FileMethods

CONTENT = os.urandom(900_000)


class Files:
    """The host's side."""

    def __init__(self):
        self.received = []
        self.started = threading.Semaphore(0)
        self.endless = Endless()

    def upload_file(self, pieces, channel_id, filename):
        if filename == "refused":
            raise AppError("too large", id="x", status_code=413)
        if filename == "hangs":
            time.sleep(1.5)
        self.started.release()
        try:
            content = b"".join(pieces)
        except grpc.RpcError:
            self.received.append("cut off")
            raise
        self.received.append("cut off" if filename == "cut" and pieces.call_ended.wait(30) else content)
        return FileInfo(name=filename, channel_id=channel_id, size=len(self.received[-1]))

    def upload_data(self, pieces, session):
        self.received.append(b"".join(pieces))
        return

    def get_file(self, file_id):
        if file_id == "missing":
            raise NotFound("no such file", id="x", status_code=404)
        if file_id == "endless":
            return iter(self.endless)
        if file_id == "slow":
            return (time.sleep(0.5) or bytes([i]) for i in range(6))
        if file_id == "hangs":
            return (time.sleep(1.5) or b"" for _ in range(1))
        return [CONTENT[:1], CONTENT[1:300_000], CONTENT[300_000:]] if file_id == "f" else []


@pytest.fixture
def files(tmp_path):
    found = Files()
    server = grpc.server(ThreadPoolExecutor(8))
    names = ("upload_file", "upload_data", "get_file")
    server.add_generic_rpc_handlers((FileMethods({name: getattr(found, name) for name in names}),))
    found.target = f"unix:{tmp_path}/api"
    server.add_insecure_port(found.target)
    server.start()
    yield found
    server.stop(0).wait()


@pytest.fixture
def api(files):
    transport = ChannelTransport(Channel(files.target))
    yield API(transport)
    transport.close()


@pytest.fixture
async def async_api(files):
    transport = AsyncChannelTransport(AsyncChannel(files.target))
    yield AsyncAPI(transport)
    await transport.close()


def wait_until_closed(pieces):
    """Wait until the server has let go of what it sends; grpcio leaves that to the garbage collector."""
    for _ in range(200):
        gc.collect()
        with contextlib.suppress(queue.Empty):
            return pieces.closed.get(timeout=0.1)
    raise AssertionError("the server still sends")


class Trickle(io.RawIOBase):
    """A file that gives little at a time."""

    def __init__(self):
        self._file = io.BytesIO(CONTENT)

    def readable(self):
        return True

    def readinto(self, buffer):
        data = self._file.read(min(len(buffer), 10_007))
        buffer[: len(data)] = data
        return len(data)


class AsyncFile:
    def __init__(self):
        self._file = io.BytesIO(CONTENT)

    async def read(self, size=-1):
        await asyncio.sleep(0)
        return self._file.read(size)


async def trickle():
    for at in range(0, len(CONTENT), 10_007):
        yield CONTENT[at : at + 10_007]


BLOCKING = {
    "bytes": lambda: CONTENT,
    "bytearray": lambda: bytearray(CONTENT),
    "memoryview": lambda: memoryview(CONTENT),
    "file": lambda: io.BytesIO(CONTENT),
    "raw file": Trickle,
    "buffered file": lambda: io.BufferedReader(Trickle()),
    "list": lambda: [CONTENT[:10], CONTENT[10:]],
    "generator": lambda: (CONTENT[at : at + 999] for at in range(0, len(CONTENT), 999)),
}
ASYNCHRONOUS = {
    **BLOCKING,
    "async generator": trickle,
    "async file": AsyncFile,
    "reader": lambda: AsyncReader(trickle()),
}


@pytest.mark.parametrize("kind", BLOCKING)
def test_content_of_any_kind_arrives(files, api, kind):
    info = api.upload_file(BLOCKING[kind](), "c", "name")
    assert (info.name, info.channel_id, info.size) == ("name", "c", len(CONTENT))
    assert files.received == [CONTENT]


async def blocking_of(async_api):
    return API(LoopTransport(async_api._transport, asyncio.get_running_loop()))


@pytest.mark.parametrize("kind", BLOCKING)
async def test_content_of_any_kind_arrives_from_threads_beside_a_loop(files, async_api, kind):
    blocking = await blocking_of(async_api)
    info = await asyncio.to_thread(blocking.upload_file, BLOCKING[kind](), "c", "name")
    assert (info.name, info.size) == ("name", len(CONTENT))
    assert files.received == [CONTENT]


async def test_threads_beside_a_loop_read_files(async_api):
    blocking = await blocking_of(async_api)

    def read():
        with blocking.open_file("f") as file:
            return file.read(10), file.read()

    assert await asyncio.to_thread(blocking.get_file, "f") == CONTENT
    assert await asyncio.to_thread(read) == (CONTENT[:10], CONTENT[10:])
    with pytest.raises(NotFound):
        await asyncio.to_thread(blocking.get_file, "missing")
    with pytest.raises(RuntimeError, match="would block the event loop"):
        blocking.get_file("f")


@pytest.mark.parametrize("kind", ASYNCHRONOUS)
async def test_content_of_any_kind_arrives_on_asyncio(files, async_api, kind):
    info = await async_api.upload_file(ASYNCHRONOUS[kind](), "c", "name")
    assert (info.name, info.channel_id, info.size) == ("name", "c", len(CONTENT))
    assert files.received == [CONTENT]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("text", "got str"),
        (7, "got int"),
        (None, "got NoneType"),
        (Path("/tmp"), r"got PosixPath \(open it first\)"),
        ([1, 2], "it gave int"),
        (io.StringIO("text"), "it gave str"),
    ],
    ids=repr,
)
async def test_what_is_no_content_is_named(files, api, async_api, content, said):
    match = rf"upload_file\(\): content: expected bytes, a binary file or an iterable of bytes.* {said}"
    with pytest.raises(TypeError, match=match):
        await asyncio.to_thread(api.upload_file, content, "c", "name")
    if hasattr(content, "seek"):
        content.seek(0)
    with pytest.raises(TypeError, match=match):
        await async_api.upload_file(content, "c", "name")


async def test_an_exception_of_the_content_is_raised_and_cuts_the_upload_off(files, api, async_api):
    # A call that ends before it was begun is one the server never hears of.
    def broken():
        yield CONTENT
        assert files.started.acquire(timeout=30)
        raise KeyError("mine")

    async def broken_too():
        yield CONTENT
        assert await asyncio.to_thread(files.started.acquire, timeout=30)
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await asyncio.to_thread(api.upload_file, broken(), "c", "cut")
    with pytest.raises(KeyError, match="mine"):
        await async_api.upload_file(broken_too(), "c", "cut")
    await until(lambda: len(files.received) == 2)
    assert files.received == ["cut off", "cut off"]
    assert (await async_api.upload_file(b"x", "c", "again")).size == 1
    assert (await asyncio.to_thread(api.upload_file, b"x", "c", "again")).size == 1


async def test_an_error_before_the_content_was_read_is_raised_and_stops_it(files, api, async_api):
    for upload in (
        lambda it: asyncio.to_thread(api.upload_file, it, "c", "refused"),
        lambda it: async_api.upload_file(it, "c", "refused"),
    ):
        for _ in range(30):  # the answer comes at another moment each time
            pieces = Endless(limit=100_000)
            with pytest.raises(AppError, match="too large"):
                await upload(pieces)
            assert pieces.taken < 100_000


async def test_no_result_is_none(files, api, async_api):
    session = UploadSession(id="s", file_size=3)
    assert await asyncio.to_thread(api.upload_data, session, b"ab") is None
    assert await async_api.upload_data(session, b"ab") is None


async def test_content_is_returned_or_opened(files, api, async_api):
    assert await asyncio.to_thread(api.get_file, "f") == CONTENT
    assert await async_api.get_file("f") == CONTENT
    assert await asyncio.to_thread(api.get_file, "empty") == b""
    assert await async_api.get_file("empty") == b""

    def read():
        with api.open_file("f") as file:
            assert file.readable()
            assert not file.seekable()
            return file.read(10), file.readline(), file.read()

    assert b"".join(await asyncio.to_thread(read)) == CONTENT
    async with await async_api.open_file("f") as file:
        assert await file.read(10) == CONTENT[:10]
        assert b"".join([piece async for piece in file]) == CONTENT[10:]
        assert await file.read() == b""


async def test_an_error_is_raised_when_the_file_is_opened(files, api, async_api):
    for call in (api.get_file, api.open_file):
        with pytest.raises(NotFound):
            await asyncio.to_thread(call, "missing")
    for awaited in (async_api.get_file, async_api.open_file):
        with pytest.raises(NotFound):
            await awaited("missing")


async def test_a_file_that_is_closed_early_stops_its_sender(files, api, async_api):
    def read_little():
        with api.open_file("endless") as file:
            assert len(file.read(100)) == 100
        with pytest.raises(ValueError, match="closed"):
            file.read(1)

    await asyncio.to_thread(read_little)
    await asyncio.to_thread(wait_until_closed, files.endless)
    assert files.endless.taken < 1000
    async with await async_api.open_file("endless") as file:
        assert len(await file.read(100)) == 100
    with pytest.raises(ValueError, match="closed"):
        await file.read(1)
    await asyncio.to_thread(wait_until_closed, files.endless)


def test_a_file_that_is_dropped_stops_its_sender(files, api):
    file = api.open_file("endless")
    assert file.read(1)
    del file
    gc.collect()
    wait_until_closed(files.endless)


async def test_the_time_limit_is_for_each_step_and_not_for_the_whole(files, api, async_api):
    assert await asyncio.to_thread(api.with_timeout(2.5).get_file, "slow") == bytes(range(6))
    assert await async_api.with_timeout(2.5).get_file("slow") == bytes(range(6))

    def slow():
        for _ in range(6):
            time.sleep(0.5)
            yield bytes(300_000)

    async def async_slow():
        for _ in range(6):
            await asyncio.sleep(0.5)
            yield bytes(300_000)

    info = await asyncio.to_thread(api.with_timeout(2.5).upload_file, slow(), "c", "name")
    assert info.size == 1_800_000
    assert (await async_api.with_timeout(2.5).upload_file(async_slow(), "c", "name")).size == 1_800_000


async def test_a_host_that_does_not_go_on_is_given_up(files, api, async_api):
    for call, arguments in (("get_file", ("hangs",)), ("upload_file", (b"x", "c", "hangs"))):
        with pytest.raises(DeadlineExceeded):
            await asyncio.to_thread(getattr(api.with_timeout(0.2), call), *arguments)
        with pytest.raises(DeadlineExceeded):
            await getattr(async_api.with_timeout(0.2), call)(*arguments)


async def test_a_cancelled_task_cuts_its_upload_off(files, async_api):
    async def endless():
        while True:
            yield CONTENT
            await asyncio.sleep(0.01)

    task = asyncio.create_task(async_api.upload_file(endless(), "c", "cut"))
    assert await asyncio.to_thread(files.started.acquire, timeout=30)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: files.received == ["cut off"])


async def until(condition):
    for _ in range(3000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not happen")
