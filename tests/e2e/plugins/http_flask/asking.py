"""Requests to another plugin, each with what a test wants to know of it."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SIZE = 256 << 20


def about(client: httpx.Client) -> Any:
    """Ask what the other plugin sees."""
    return client.get("/about", params={"a": "1"}, headers={"X-Own": "yes"}).json()


def upload(client: httpx.Client) -> Any:
    """Send a body in pieces."""
    return client.post("/upload", content=(bytes(1 << 20) for _ in range(SIZE >> 20))).json()


def download(client: httpx.Client) -> Any:
    """Read a body in pieces."""
    digest, size = hashlib.blake2b(), 0
    with client.stream("GET", "/download", params={"size": str(SIZE)}) as response:
        for piece in response.iter_bytes():
            digest.update(piece)
            size += len(piece)
    return {"size": size, "digest": digest.hexdigest()}


def events(client: httpx.Client) -> Any:
    """Read events as they come, and stop."""
    times = []
    with client.stream("GET", "/events") as response:
        for line in response.iter_lines():
            if line:
                times.append(time.monotonic())
            if len(times) == 4:
                break
    return times[-1] - times[0]


def statuses(client: httpx.Client) -> Any:
    """Get errors."""
    return [client.get(path).status_code for path in ("/headers", "/boom", "/nothing")]


def silence(client: httpx.Client) -> Any:
    """Get no answer within the time for one."""
    try:
        client.get("/silence", timeout=0.5)
    except httpx.ReadTimeout as error:
        return str(error)
    return "an answer"


def nobody(client: httpx.Client) -> Any:
    """Ask a plugin that does not exist."""
    return client.get("http://org.example.nobody/").status_code


def first_pieces(client: httpx.Client) -> Any:
    """Read the beginning of a large body, and leave."""
    with client.stream("GET", "/download", params={"size": str(1 << 30)}) as response:
        return len(next(response.iter_bytes())) > 0


def broken_source(client: httpx.Client) -> Any:
    """Send a body that fails half-way."""

    def pieces() -> Iterator[bytes]:
        yield bytes(1 << 20)
        raise OSError("the source broke")

    try:
        client.post("/upload", content=pieces())
    except OSError as error:
        return str(error)
    return "sent"


def unwanted(client: httpx.Client) -> Any:
    """Send a body that the other plugin does not read."""
    return client.post("/refuse", content=bytes(5_000_000)).status_code


def broken_response(client: httpx.Client) -> Any:
    """Get a response that breaks off although its length was announced."""
    try:
        client.get("/short")
    except httpx.RemoteProtocolError as error:
        return str(error)
    return "a response"


SCENARIOS: dict[str, Callable[[httpx.Client], Any]] = {
    scenario.__name__: scenario
    for scenario in (
        about, upload, download, events, statuses, silence, nobody, first_pieces, broken_source, unwanted,
        broken_response,
    )
}  # fmt: skip
