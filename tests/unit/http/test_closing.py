"""What is open when a plugin ends: it hears of that in time, and leaves no error in the log."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import websockets
from starlette.applications import Starlette
from starlette.responses import StreamingResponse

from mattermost_plugin._runtime.environment import Environment
from mattermost_plugin.http import request_info
from mattermost_plugin.http._server import HTTPServer
from mattermost_plugin.http._wsgi import WSGIAdapter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from typing_extensions import Self


class Ending:
    """An application that is stopped while requests are open."""

    def __init__(self, app: Any, directory: Path, caplog: pytest.LogCaptureFixture) -> None:
        self.server = HTTPServer(app, object(), Environment.read({"PLUGIN_UNIX_SOCKET_DIR": str(directory)}))
        self.caplog = caplog
        self.writers: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> Self:
        self.caplog.set_level(logging.INFO)
        await self.server.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        for writer in self.writers:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
        await self.server.stop()

    async def ask(self, head: str) -> asyncio.StreamReader:
        reader, writer = await asyncio.open_unix_connection(self.server.path)
        self.writers.append(writer)
        writer.write(head.encode() + b"\r\nHost: x\r\n\r\n")
        return reader

    async def stop(self) -> None:
        await asyncio.wait_for(self.server.stop(), 60)
        assert [record for record in self.caplog.records if record.levelno > logging.INFO] == []
        assert "Traceback" not in self.caplog.text
        assert self.server._server.server_state.tasks == set()


async def begin(send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"begun", "more_body": True})


@pytest.fixture
def heard() -> list[Any]:
    """What applications were told."""
    return []


async def test_a_stream_that_only_sends_is_broken_off(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await begin(send)
            while True:
                await send({"type": "http.response.body", "body": b"tick", "more_body": True})
                await asyncio.sleep(0.01)

    async with Ending(app, tmp_path, caplog) as ending:
        reader = await ending.ask("GET / HTTP/1.1")
        await reader.readuntil(b"begun")
        await ending.stop()
        # The last chunk is missing: nobody takes the response for whole.
        assert not (await reader.read()).endswith(b"0\r\n\r\n")
    assert "GET / was broken off: the plugin ends" in caplog.text


@pytest.mark.parametrize("head", ["GET / HTTP/1.1", "POST / HTTP/1.1\r\nContent-Length: 10"])
async def test_who_waits_for_the_client_hears_http_disconnect(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, heard: list[Any], head: str
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            if scope["method"] == "GET":
                assert (await receive())["type"] == "http.request"
            await begin(send)
            heard.append((await receive(), scope["mattermost"].closing.is_set()))
            heard.append((await receive(), True))

    async with Ending(app, tmp_path, caplog) as ending:
        reader = await ending.ask(head)
        await reader.readuntil(b"begun")
        await ending.stop()
    assert heard[-1] == ({"type": "http.disconnect"}, True)


async def test_a_request_that_is_soon_done_is_answered(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    asked = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            asked.set()
            assert await asyncio.to_thread(scope["mattermost"].closing.wait, 60)
            await begin(send)
            await send({"type": "http.response.body", "body": b"done"})

    async with Ending(app, tmp_path, caplog) as ending:
        reader = await ending.ask("GET / HTTP/1.1")
        await asked.wait()
        await ending.stop()
        assert (await reader.read()).endswith(b"4\r\ndone\r\n0\r\n\r\n")


async def test_a_framework_ends_its_stream(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    app = Starlette()

    async def events(_request: Any) -> StreamingResponse:
        async def ticks() -> AsyncIterator[bytes]:
            yield b"begun"
            await asyncio.Event().wait()

        return StreamingResponse(ticks())

    app.add_route("/", events)
    async with Ending(app, tmp_path, caplog) as ending:
        reader = await ending.ask("GET / HTTP/1.1")
        await reader.readuntil(b"begun")
        await ending.stop()


@pytest.mark.parametrize("listens", [True, False])
async def test_a_websocket_is_closed_with_going_away(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, heard: list[Any], listens: bool
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.send", "text": "begun"})
            if listens:
                heard.append(await receive())
                await send({"type": "websocket.send", "text": "nobody hears this"})
            else:
                await asyncio.Event().wait()

    async with (
        Ending(app, tmp_path, caplog) as ending,
        websockets.unix_connect(ending.server.path, "ws://x/") as socket,
    ):
        assert await socket.recv() == "begun"
        await ending.stop()
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await socket.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1001
    if listens:
        assert heard[0]["type"] == "websocket.disconnect"
        assert heard[0]["code"] == 1001


async def test_a_thread_can_wait_for_the_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, heard: list[Any]
) -> None:
    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        yield b"begun"
        heard.append(request_info(environ).closing.wait(60))
        yield b"done"

    async with Ending(WSGIAdapter(app), tmp_path, caplog) as ending:
        reader = await ending.ask("GET / HTTP/1.1")
        await reader.readuntil(b"begun")
        await ending.stop()
        assert (await reader.read()).endswith(b"4\r\ndone\r\n0\r\n\r\n")
    assert heard == [True]


async def test_a_stream_of_a_thread_is_broken_off(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    closed = threading.Event()

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        try:
            yield b"begun"
            while True:
                threading.Event().wait(0.01)
                yield b"tick"
        finally:
            closed.set()

    async with Ending(WSGIAdapter(app), tmp_path, caplog) as ending:
        reader = await ending.ask("GET / HTTP/1.1")
        await reader.readuntil(b"begun")
        await ending.stop()
        assert not (await reader.read()).endswith(b"0\r\n\r\n")
    assert await asyncio.to_thread(closed.wait, 60)
