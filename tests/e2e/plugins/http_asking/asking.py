"""Requests to another plugin, each with what a test wants to know of it."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

SIZE = 256 << 20


async def about(client: httpx.AsyncClient) -> Any:
    """Ask what the other plugin sees."""
    return (await client.get("/about", params={"a": "1"}, headers={"X-Own": "yes"})).json()


async def upload(client: httpx.AsyncClient) -> Any:
    """Send a body in pieces."""

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(SIZE >> 20):
            yield bytes(1 << 20)

    return (await client.post("/upload", content=pieces())).json()


async def download(client: httpx.AsyncClient) -> Any:
    """Read a body in pieces."""
    digest, size = hashlib.blake2b(), 0
    async with client.stream("GET", "/download", params={"size": str(SIZE)}) as response:
        async for piece in response.aiter_bytes():
            digest.update(piece)
            size += len(piece)
    return {"size": size, "digest": digest.hexdigest()}


async def events(client: httpx.AsyncClient) -> Any:
    """Read events as they come, and stop."""
    times = []
    async with client.stream("GET", "/events") as response:
        async for line in response.aiter_lines():
            if line:
                times.append(time.monotonic())
            if len(times) == 4:
                break
    return times[-1] - times[0]


async def statuses(client: httpx.AsyncClient) -> Any:
    """Get errors."""
    return [(await client.get(path)).status_code for path in ("/headers", "/boom", "/nothing")]


async def silence(client: httpx.AsyncClient) -> Any:
    """Get no answer within the time for one."""
    try:
        await client.get("/silence", timeout=0.5)
    except httpx.ReadTimeout as error:
        return str(error)
    return "an answer"


async def nobody(client: httpx.AsyncClient) -> Any:
    """Ask a plugin that does not exist."""
    return (await client.get("http://org.example.nobody/")).status_code


async def first_pieces(client: httpx.AsyncClient) -> Any:
    """Read the beginning of a large body, and leave."""
    async with client.stream("GET", "/download", params={"size": str(1 << 30)}) as response:
        return len(await anext(response.aiter_bytes())) > 0


async def broken_source(client: httpx.AsyncClient) -> Any:
    """Send a body that fails half-way."""

    async def pieces() -> AsyncIterator[bytes]:
        yield bytes(1 << 20)
        raise OSError("the source broke")

    try:
        await client.post("/upload", content=pieces())
    except OSError as error:
        return str(error)
    return "sent"


async def unwanted(client: httpx.AsyncClient) -> Any:
    """Send a body that the other plugin does not read."""
    return (await client.post("/refuse", content=bytes(5_000_000))).status_code


async def broken_response(client: httpx.AsyncClient) -> Any:
    """Get a response that breaks off although its length was announced."""
    try:
        await client.get("/short")
    except httpx.RemoteProtocolError as error:
        return str(error)
    return "a response"


SCENARIOS: dict[str, Callable[[httpx.AsyncClient], Awaitable[Any]]] = {
    scenario.__name__: scenario
    for scenario in (
        about, upload, download, events, statuses, silence, nobody, first_pieces, broken_source, unwanted,
        broken_response,
    )
}  # fmt: skip
