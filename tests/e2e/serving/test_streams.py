"""Bodies and messages that flow: large, slow, endless, broken off."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from typing import TYPE_CHECKING

import httpx
import pytest
import websockets

from tests.e2e.serving.raw import connected, head, wait_until_left, websocket_address
from tests.e2e.serving.resources import Resources

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.serving.conftest import Site
    from tests.harness import InstalledPlugin, RestClient

pytestmark = pytest.mark.e2e

GIB = 1 << 30
MIB = 1 << 20

# What the bridge and Python together may grow by while they pass on a GiB.
GROWTH = 64 * MIB


def test_a_gib_goes_up_in_constant_memory(site: Site, asgi_plugin: InstalledPlugin) -> None:
    piece = bytes(range(256)) * 4096
    expected = hashlib.blake2b()
    for _ in range(GIB // len(piece)):
        expected.update(piece)

    with Resources(asgi_plugin) as resources:
        response = site.post("/upload", content=(piece for _ in range(GIB // len(piece))))

    assert response.json() == {"size": GIB, "digest": expected.hexdigest()}
    assert resources.growth < GROWTH


def test_a_gib_goes_down_in_constant_memory(site: Site, asgi_plugin: InstalledPlugin) -> None:
    size = 0
    with (
        Resources(asgi_plugin) as resources,
        site.stream("GET", "/download", params={"size": GIB, "announced": ""}) as response,
    ):
        for piece in response.iter_raw():
            size += len(piece)

    assert size == GIB
    assert resources.growth < GROWTH


def test_events_arrive_as_they_are_written(site: Site) -> None:
    times = []
    with site.stream("GET", "/events") as response:
        for line in response.iter_lines():
            if line:
                times.append(time.monotonic())
            if len(times) == 10:
                break

    assert times[-1] - times[0] > 0.4, "they came together"  # a busy machine brings some of them late
    wait_until_left(site, "events")


def test_expect_continue_is_answered_by_the_application(site: Site) -> None:
    with connected(site) as connection:
        expecting = ("Content-Length: 5", "Expect: 100-continue", "Connection: close")
        connection.sendall(head(site, "POST", "/upload", *expecting))
        assert connection.recv(65536).startswith(b"HTTP/1.1 100 Continue\r\n\r\n")
        connection.sendall(b"hello")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")

    with connected(site) as connection:
        connection.sendall(head(site, "POST", "/refuse", *expecting))
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_a_response_before_the_body_was_sent(site: Site) -> None:
    with contextlib.suppress(httpx.WriteError):  # the server may close before all is written
        assert site.post("/refuse", content=bytes(5_000_000)).status_code == 413
    assert site.post("/refuse", content=bytes(50_000)).text == "too much"


async def test_a_websocket_echoes_thousands_of_messages(site: Site, alice: RestClient) -> None:
    async with websockets.connect(
        websocket_address(site, "/ws"),
        additional_headers={"Authorization": f"Bearer {alice.token}"},
        subprotocols=[websockets.Subprotocol("other"), websockets.Subprotocol("echo")],
        proxy=None,
    ) as connection:
        assert connection.subprotocol == "echo"
        await connection.send("who")
        assert await connection.recv() == alice.user_id
        for size in (0, 1, 125, 126, 65_535, 65_536, 1_000_000):
            message = bytes(range(256)) * (size // 256) + bytes(size % 256)
            await connection.send(message)
            assert await connection.recv() == message
        for number in range(2000):
            await connection.send(str(number))
            assert await connection.recv() == str(number)
        await connection.send("close")
        with pytest.raises(websockets.ConnectionClosedError) as closed:
            await connection.recv()
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4321, "as you wish")


async def test_thousands_of_messages_go_both_ways_at_the_same_time(site: Site) -> None:
    count = 5000
    async with websockets.connect(websocket_address(site, f"/flood?count={count}"), proxy=None) as connection:

        async def send() -> None:
            for number in range(count):
                await connection.send(str(number))

        sending = asyncio.create_task(send())
        received = [message async for message in connection]
        await sending

    assert received == [*(str(number) for number in range(count)), f"received {count}"]


def test_what_a_client_sends_with_its_handshake_is_not_lost(site: Site) -> None:
    with connected(site) as connection:
        key = "dGhlIHNhbXBsZSBub25jZQ=="
        upgrade = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13")
        masked_text = b"\x81\x82\x00\x00\x00\x00hi"
        connection.sendall(head(site, "GET", "/ws", *upgrade, f"Sec-WebSocket-Key: {key}") + masked_text)
        received = b""
        while not received.endswith(b"\x81\x02hi"):
            data = connection.recv(65536)
            assert data, received
            received += data
        assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in received


def test_while_the_plugin_restarts_clients_are_told_when_to_come_back(
    site: Site, asgi_plugin: InstalledPlugin, python_of: Callable[[InstalledPlugin], object]
) -> None:
    site.get("/about")
    python_of(asgi_plugin).kill()

    statuses: list[int] = []
    deadline = time.monotonic() + 60
    while not statuses or statuses[-1] != 200:
        assert time.monotonic() < deadline, statuses
        response = site.get("/about")
        statuses.append(response.status_code)
        if response.status_code == 503:
            assert response.headers["retry-after"] == "1"
        time.sleep(0.02)

    assert 503 in statuses
    assert set(statuses) <= {200, 502, 503}
