"""Connections to the server on which a test writes what it likes."""

from __future__ import annotations

import contextlib
import socket
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.serving.conftest import Site

__all__ = [
    "connected",
    "head",
    "times_left",
    "to_the_end",
    "wait_until_left",
    "websocket_address",
    "websocket_handshake",
]


@contextlib.contextmanager
def connected(site: Site) -> Iterator[socket.socket]:
    """A bare connection to the server."""
    host, port = site.base_url.host, site.base_url.port
    with socket.create_connection((host, port), timeout=60) as connection:
        yield connection


def head(site: Site, method: str, path: str, *lines: str) -> bytes:
    """The head of a request."""
    return "\r\n".join(
        (f"{method} {site.base_url.path.rstrip('/')}{path} HTTP/1.1", "Host: localhost", *lines, "", "")
    ).encode()


def websocket_address(site: Site, path: str) -> str:
    """Where a plugin's WebSocket is."""
    return str(site.base_url.copy_with(scheme="ws")).rstrip("/") + path


def websocket_handshake(site: Site, connection: socket.socket, path: str) -> None:
    """Make a bare connection a WebSocket."""
    upgrade = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13")
    connection.sendall(head(site, "GET", path, *upgrade, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="))
    received = b""
    while not received.endswith(b"\r\n\r\n"):
        data = connection.recv(1)
        assert data, received
        received += data
    assert received.startswith(b"HTTP/1.1 101 "), received


def to_the_end(connection: socket.socket) -> bytes:
    """Read until the server closes the connection."""
    received = b""
    while data := connection.recv(65536):
        received += data
    return received


def times_left(site: Site, what: str) -> int:
    """How many clients have left while the application was doing this."""
    return [entry.split()[0] for entry in site.get("/left").json()].count(what)


def wait_until_left(site: Site, what: str, times: int = 1) -> None:
    """Wait until the application has noticed that so many clients left."""
    deadline = time.monotonic() + 60
    while times_left(site, what) < times:
        assert time.monotonic() < deadline, f"the application did not notice: {site.get('/left').json()}"
        time.sleep(0.05)
