"""Responses that must have no body, and what an application sends all the same."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mattermost_plugin._runtime.environment import Environment
from mattermost_plugin.http._server import HTTPServer

if TYPE_CHECKING:
    from collections.abc import Iterable

FORGED = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n!"


async def conversation(app: Any, directory: Path, requests: Iterable[bytes]) -> bytes:
    """Send requests over one connection, one after the other; return all that comes."""
    server = HTTPServer(app, object(), Environment.read({"PLUGIN_UNIX_SOCKET_DIR": str(directory)}))
    await server.start()
    try:
        reader, writer = await asyncio.open_unix_connection(server.path)
        for request in requests:
            writer.write(request)
        got = await reader.read()
        writer.close()
        await writer.wait_closed()
        return got
    finally:
        await server.stop()


@pytest.mark.parametrize("status", [204, 304])
@pytest.mark.parametrize(
    "framing", [[], [(b"Content-Length", b"40")], [(b"Transfer-Encoding", b"chunked")]]
)  # fmt: skip
async def test_a_response_without_a_body_has_none(
    tmp_path: Path, status: int, framing: list[tuple[bytes, bytes]]
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        if scope["path"] == "/next":
            headers = [(b"content-length", b"4"), (b"connection", b"close")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"next"})
            return
        headers = [(b"X-Kept", b"1"), *framing]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": FORGED[:10], "more_body": True})
        await send({"type": "http.response.body", "body": FORGED[10:]})

    got = await conversation(
        app,
        tmp_path,
        [b"GET /odd HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /next HTTP/1.1\r\nHost: x\r\n\r\n"],
    )

    odd, following = got.split(b"\r\n\r\n", 1)
    assert odd.startswith(b"HTTP/1.1 %d " % status)
    assert b"X-Kept: 1" in odd or b"x-kept: 1" in odd
    assert b"content-length" not in odd.lower()
    assert b"transfer-encoding" not in odd.lower()
    assert following.startswith(b"HTTP/1.1 200 OK\r\n")
    assert following.endswith(b"\r\n\r\nnext")
    assert b"!" not in got


@pytest.mark.parametrize("status", [100, 103, 199, 600])
async def test_an_application_answers_with_a_status_of_a_response(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": status, "headers": []})

    got = await conversation(app, tmp_path, [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"])

    assert got.startswith(b"HTTP/1.1 500 ")
    assert f"cannot answer with the status {status}" in caplog.text
