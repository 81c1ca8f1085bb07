"""Addresses arrive whole, up to what the host lets through (go/internal/httpproxy/checks.go)."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import websockets

from mattermost_plugin._runtime.environment import Environment
from mattermost_plugin.http._server import HTTPServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LARGEST = 65535


async def app(scope: Any, receive: Any, send: Any) -> None:
    said = f"{len(scope.get('path', ''))} {scope.get('query_string', b'')[-6:].decode()}"
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": said.encode()})
    elif scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": said})
        await send({"type": "websocket.close"})


def target_of(size: int, part: str) -> str:
    begin, end = ("/", "?z=last") if part == "path" else ("/?q=", "&z=last")
    return begin + "y" * (size - len(begin) - len(end)) + end


@asynccontextmanager
async def serving(directory: Path) -> AsyncIterator[str]:
    server = HTTPServer(app, object(), Environment.read({"PLUGIN_UNIX_SOCKET_DIR": str(directory)}))
    await server.start()
    try:
        yield server.path
    finally:
        await server.stop()


@pytest.mark.parametrize("size", [100, 8192, 20_000, LARGEST - 1, LARGEST])
@pytest.mark.parametrize("part", ["path", "query"])
async def test_the_address_of_a_request_is_whole(tmp_path: Path, size: int, part: str) -> None:
    target = target_of(size, part)
    async with serving(tmp_path) as path:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        got = (await reader.read()).decode()
        writer.close()
        await writer.wait_closed()
    assert f"{len(target.partition('?')[0])} z=last" in got


@pytest.mark.parametrize("size", [100, 8177, 8178, 20_000, LARGEST])
@pytest.mark.parametrize("part", ["path", "query"])
async def test_the_address_of_a_websocket_is_whole_or_refused(tmp_path: Path, size: int, part: str) -> None:
    target = target_of(size, part)
    async with serving(tmp_path) as path:
        if size < 8178:  # with the rest of its line, 8,192
            async with websockets.unix_connect(path, f"ws://x{target}") as socket:
                assert await socket.recv() == f"{len(target.partition('?')[0])} z=last"
        else:
            with pytest.raises(websockets.InvalidStatus) as refused:
                await websockets.unix_connect(path, f"ws://x{target}")
            assert refused.value.response.status_code == 414


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"X-Large": "y" * 8000}, 101),
        ({"X-Large": "y" * 8192}, 431),
        ({f"X-{number}": "y" for number in range(100)}, 101),
        ({f"X-{number}": "y" for number in range(200)}, 431),
    ],
)
async def test_the_head_of_a_websocket_is_whole_or_refused(
    tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    async with serving(tmp_path) as path:
        if status == 101:
            async with websockets.unix_connect(path, "ws://x/", additional_headers=headers) as socket:
                assert (await socket.recv()).startswith("1 ")
        else:
            with pytest.raises(websockets.InvalidStatus) as refused:
                await websockets.unix_connect(path, "ws://x/", additional_headers=headers)
            assert refused.value.response.status_code == status
