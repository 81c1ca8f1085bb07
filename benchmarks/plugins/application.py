"""The HTTP application of the measured plugins, in Starlette."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.responses import Response

PIECE = bytes(256 * 1024)


async def hello(_request: Request) -> Response:
    return PlainTextResponse("Hello, world!")


async def download(request: Request) -> Response:
    """Send as many bytes as are asked for."""
    size = int(request.query_params["size"])

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(size // len(PIECE)):
            yield PIECE
        yield PIECE[: size % len(PIECE)]

    return StreamingResponse(
        pieces(), headers={"content-length": str(size)}, media_type="application/octet-stream"
    )


async def upload(request: Request) -> Response:
    """Count the bytes that are sent."""
    size = 0
    async for piece in request.stream():
        size += len(piece)
    return PlainTextResponse(str(size))


app = Starlette(
    routes=[Route("/hello", hello), Route("/download", download), Route("/upload", upload, methods=["POST"])]
)
