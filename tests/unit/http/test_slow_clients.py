"""Clients that send or read slowly keep no thread of a WSGI application."""

from __future__ import annotations

import asyncio
import logging
import threading
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mattermost_plugin import Plugin
from mattermost_plugin._runtime.environment import Environment
from mattermost_plugin.http import HTTPLimits
from mattermost_plugin.http._app import application
from mattermost_plugin.http._server import HTTPServer
from mattermost_plugin.http._wsgi import WSGIAdapter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


def echo(environ: Any, start_response: Any) -> list[bytes]:
    body = environ["wsgi.input"].read()
    assert int(environ["CONTENT_LENGTH"]) == len(body)
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


@asynccontextmanager
async def serving(app: Any, limits: HTTPLimits, directory: Path) -> AsyncIterator[str]:
    adapter = WSGIAdapter(app, limits)
    server = HTTPServer(adapter, object(), Environment.read({"PLUGIN_UNIX_SOCKET_DIR": str(directory)}))
    await server.start()
    try:
        yield server.path
    finally:
        await server.stop()


async def answer(path: str, request: bytes) -> bytes:
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(request)
    got = await asyncio.wait_for(reader.read(), 60)
    writer.close()
    return got


def post(body: bytes, framing: str = "") -> bytes:
    framing = framing or f"Content-Length: {len(body)}"
    return f"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{framing}\r\n\r\n".encode() + body


@pytest.mark.parametrize("framing", ["Content-Length: 1000", "Transfer-Encoding: chunked"])
async def test_uploads_that_do_not_end_keep_no_thread(tmp_path: Path, framing: str) -> None:
    async with serving(echo, HTTPLimits(workers=2), tmp_path) as path:
        slow = []
        for _ in range(10):
            _, writer = await asyncio.open_unix_connection(path)
            writer.write(post(b"1\r\nx\r\n", framing))
            slow.append(writer)
        assert (await answer(path, post(b"hello"))).endswith(b"\r\n\r\nhello")
        for writer in slow:
            writer.close()


@pytest.mark.parametrize("size", [0, 1, 1000, 1001, 300_000])
async def test_a_body_is_whole_wherever_it_was_kept(tmp_path: Path, size: int) -> None:
    body = bytes(range(256)) * (size // 256) + bytes(size % 256)
    async with serving(echo, HTTPLimits(body_memory=1000), tmp_path) as path:
        assert (await answer(path, post(body))).partition(b"\r\n\r\n")[2] == body
        chunks = b"%x\r\n%s\r\n" % (size, body) if size else b""
        chunked = post(chunks + b"0\r\n\r\n", "Transfer-Encoding: chunked")
        assert (await answer(path, chunked)).partition(b"\r\n\r\n")[2] == body


@pytest.mark.parametrize(
    ("limits", "request_", "status"),
    [
        (HTTPLimits(body_grace=0.1, body_rate=10), post(b"x", "Content-Length: 1000"), b"408"),
        (HTTPLimits(body_timeout=0.1), post(b"x", "Content-Length: 1000"), b"408"),
        (HTTPLimits(max_body=10), post(b"x" * 11), b"413"),
        (
            HTTPLimits(max_body=10),
            post(b"b\r\n12345678901\r\n0\r\n\r\n", "Transfer-Encoding: chunked"),
            b"413",
        ),
    ],
)
async def test_a_body_has_limits(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, limits: HTTPLimits, request_: bytes, status: bytes
) -> None:
    async with serving(echo, limits, tmp_path) as path:
        got = await answer(path, request_)
    assert got.startswith(b"HTTP/1.1 " + status)
    assert b"connection: close" in got
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_a_client_that_reads_nothing_keeps_no_thread(tmp_path: Path) -> None:
    closed = threading.Event()

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        if environ["PATH_INFO"] == "/small":
            yield b"small"
            return
        try:
            while True:
                yield bytes(100_000)
        finally:
            closed.set()

    async with serving(app, HTTPLimits(workers=1, send_timeout=0.2), tmp_path) as path:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.read(1)
        got = await answer(path, b"GET /small HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert b"small" in got
        assert closed.is_set()
        assert not (await asyncio.wait_for(reader.read(), 60)).endswith(b"0\r\n\r\n")
        writer.close()


def test_limits_are_those_of_the_class() -> None:
    class Limited(Plugin):
        http = staticmethod(echo)
        http_limits = HTTPLimits(workers=3)

    class Wrong(Plugin):
        http = staticmethod(echo)
        http_limits = 7

    adapter = application(Limited(), "http")
    assert isinstance(adapter, WSGIAdapter)
    assert adapter._limits.workers == 3
    with pytest.raises(TypeError, match=r"Wrong\.http_limits is 7"):
        application(Wrong(), "http")
    with pytest.raises(ValueError, match=r"HTTPLimits.workers is 0; it must be more than 0"):
        HTTPLimits(workers=0)
