"""The ASGI application: one path for each thing HTTP can do."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from mattermost_plugin.http import request_info

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


log = logging.getLogger("http-asgi")

# What clients that left were doing.
left: list[str] = []

PIECE = bytes(range(256)) * 256


async def about(request: Request) -> Response:
    """Say what the application knows about the request."""
    info = request_info(request)
    return JSONResponse(
        {
            "user_id": info.user_id,
            "source_plugin_id": info.source_plugin_id,
            "plugin": type(info.plugin).__name__,
            "session_id": info.context.session_id,
            "request_id": info.context.request_id,
            "ip_address": info.context.ip_address,
            "same_in_state": request.state.mattermost is info,
            "root_path": request.scope["root_path"],
            "path": request.url.path,
            "query": request.url.query,
            "raw_path": request.scope["raw_path"].decode(),
            "client": request.client.host if request.client else "",
            "headers": {name: request.headers.getlist(name) for name in set(request.headers)},
            "started": request.state.started,
        }
    )


async def echo(request: Request) -> Response:
    """Send the body back when it is there."""
    return Response(await request.body(), media_type="application/octet-stream")


async def upload(request: Request) -> Response:
    """Read the body and say what it was."""
    digest, size = hashlib.blake2b(), 0
    try:
        async for piece in request.stream():
            digest.update(piece)
            size += len(piece)
    except ClientDisconnect:
        left.append(f"upload {size}")
        raise
    return JSONResponse({"size": size, "digest": digest.hexdigest()})


async def download(request: Request) -> Response:
    """Send as many bytes as are asked for, with their number announced or not."""
    size = int(request.query_params["size"])
    headers = {"content-length": str(size)} if "announced" in request.query_params else {}

    async def pieces() -> AsyncIterator[bytes]:
        rest = size
        while rest:
            piece = PIECE[:rest]
            rest -= len(piece)
            yield piece

    return StreamingResponse(pieces(), headers=headers, media_type="application/octet-stream")


async def events(request: Request) -> Response:
    """Send an event every 100 ms until the client leaves."""

    async def stream() -> AsyncIterator[bytes]:
        number = 0
        try:
            while True:
                yield b"data: %d\n\n" % number
                number += 1
                await asyncio.sleep(0.1)
        finally:
            left.append("events")

    return StreamingResponse(stream(), media_type="text/event-stream")


async def file(_request: Request) -> Response:
    """Send a file, which knows ranges."""
    return FileResponse(Path(__file__).with_name("plugin.py"))


async def headers(_request: Request) -> Response:
    """Send headers of many kinds."""
    response = PlainTextResponse(
        "teapot", status_code=418, headers={"X-Own": "1", "Cache-Control": "max-age=7"}
    )
    response.set_cookie("a", "1")
    response.set_cookie("b", "2")
    return response


async def boom(_request: Request) -> Response:
    """Raise."""
    raise RuntimeError("the secret of boom")


async def boom_late(_request: Request) -> Response:
    """Raise in the middle of a response whose beginning has been sent."""

    async def stream() -> AsyncIterator[bytes]:
        yield b"the beginning"
        await asyncio.sleep(0.3)
        raise RuntimeError("the secret of boom-late")

    return StreamingResponse(stream())


async def short(_request: Request) -> Response:
    """Announce more than is sent."""

    async def stream() -> AsyncIterator[bytes]:
        yield b"the beginning"
        await asyncio.sleep(0.3)  # which the client sees before it turns out to be all

    return StreamingResponse(stream(), headers={"content-length": "100"})


async def long(_request: Request) -> Response:
    """Send more than was announced."""

    async def stream() -> AsyncIterator[bytes]:
        yield b"the beginning"
        yield b" and the rest"

    return StreamingResponse(stream(), headers={"content-length": "13"})


async def silence(_request: Request) -> Response:
    """Never answer."""
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        left.append("silence")
        raise
    return Response()


async def refuse(_request: Request) -> Response:
    """Answer without reading the body."""
    return PlainTextResponse("too much", status_code=413)


async def tasks(_request: Request) -> Response:
    """Say how many tasks there are on the loop."""
    return JSONResponse(len(asyncio.all_tasks()))


async def who_left(_request: Request) -> Response:
    """Say which clients left early."""
    return JSONResponse(left)


async def echo_messages(websocket: WebSocket) -> None:
    """Send every message back."""
    await websocket.accept(subprotocol="echo" if "echo" in websocket.scope["subprotocols"] else None)
    while True:
        message: dict[str, Any] = dict(await websocket.receive())
        if message["type"] == "websocket.disconnect":
            left.append(f"websocket {message['code']}")
            return
        if message.get("text") == "close":
            await websocket.close(4321, "as you wish")
            return
        if message.get("text") == "who":
            await websocket.send_text(request_info(websocket).user_id)
        elif message.get("text") is not None:
            await websocket.send_text(message["text"])
        else:
            await websocket.send_bytes(message["bytes"])


async def flood_messages(websocket: WebSocket) -> None:
    """Send as many numbered messages as are asked for, then say how many came."""
    await websocket.accept()
    wanted = int(websocket.query_params["count"])
    received = 0

    async def read() -> None:
        nonlocal received
        with suppress(WebSocketDisconnect):
            while received < wanted:
                await websocket.receive_text()
                received += 1

    reading = asyncio.create_task(read())
    for number in range(wanted):
        await websocket.send_text(str(number))
    await reading
    await websocket.send_text(f"received {received}")
    await websocket.close()


async def never_accept(websocket: WebSocket) -> None:
    """Leave the handshake unanswered."""
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass
    left.append("never-accepted")


async def refuse_messages(websocket: WebSocket) -> None:
    """Refuse the handshake."""
    await websocket.close()


@asynccontextmanager
async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, bool]]:
    """Log the life of the application."""
    log.info("Application started")
    yield {"started": True}
    log.info("Application ended")


application = Starlette(
    routes=[
        Route("/about", about, methods=["GET", "POST", "PUT", "DELETE"]),
        Route("/about/{rest:path}", about),
        Route("/echo", echo, methods=["POST"]),
        Route("/upload", upload, methods=["POST"]),
        Route("/download", download),
        Route("/events", events),
        Route("/file", file),
        Route("/headers", headers),
        Route("/boom", boom),
        Route("/boom-late", boom_late),
        Route("/short", short),
        Route("/long", long),
        Route("/silence", silence, methods=["GET", "POST"]),
        Route("/refuse", refuse, methods=["POST"]),
        Route("/tasks", tasks),
        Route("/left", who_left),
        WebSocketRoute("/ws", echo_messages),
        WebSocketRoute("/flood", flood_messages),
        WebSocketRoute("/never", never_accept),
        WebSocketRoute("/refused", refuse_messages),
    ],
    lifespan=lifespan,
)
