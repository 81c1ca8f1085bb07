"""Clients and applications that do what they should not: each case ends, says why, leaves nothing behind."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest
import websockets.sync.client
from websockets.exceptions import InvalidStatus

from tests.e2e.serving.raw import (
    connected,
    head,
    times_left,
    to_the_end,
    wait_until_left,
    websocket_address,
    websocket_handshake,
)
from tests.e2e.serving.resources import Resources

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.serving.conftest import Site
    from tests.harness import InstalledPlugin, MattermostServer

pytestmark = pytest.mark.e2e

GIB = 1 << 30

# hook_timeouts.serve_http of the plugin, in seconds.
DEADLINE = 3

# Each case is run so often; what it leaves behind each time would be more than what may stay.
TIMES = 8


def a_client_leaves_in_the_middle_of_its_upload(site: Site) -> None:
    noticed = times_left(site, "upload")
    with connected(site) as connection:
        connection.sendall(head(site, "POST", "/upload", "Content-Length: 100000") + bytes(50_000))
    wait_until_left(site, "upload", noticed + 1)


def a_client_leaves_in_the_middle_of_a_chunk(site: Site) -> None:
    # The server does not tell that more should have come (docs/design/http.md).
    with connected(site) as connection:
        connection.sendall(head(site, "POST", "/upload", "Transfer-Encoding: chunked") + b"ffff\r\nnot all")
    time.sleep(0.1)  # or the host keeps as many connections as there are requests at once


def a_client_leaves_in_the_middle_of_a_head(site: Site) -> None:
    with connected(site) as connection:
        connection.sendall(head(site, "GET", "/about", "X-Half: yes")[:-20])


def a_client_leaves_instead_of_continuing(site: Site) -> None:
    noticed = times_left(site, "upload")
    with connected(site) as connection:
        connection.sendall(head(site, "POST", "/upload", "Content-Length: 5", "Expect: 100-continue"))
        assert connection.recv(65536).startswith(b"HTTP/1.1 100 Continue\r\n\r\n")
    wait_until_left(site, "upload", noticed + 1)


def a_client_leaves_in_the_middle_of_a_download(site: Site) -> None:
    with site.stream("GET", "/download", params={"size": GIB}) as response:
        next(response.iter_raw())


def a_client_leaves_an_endless_response(site: Site) -> None:
    noticed = times_left(site, "events")
    with site.stream("GET", "/events") as response:
        next(response.iter_raw())
    wait_until_left(site, "events", noticed + 1)


def a_client_leaves_before_there_is_a_response(site: Site) -> None:
    # Noticed at the deadline: while nothing is sent to the client, the server does not tell.
    with connected(site) as connection:
        connection.sendall(head(site, "GET", "/silence"))


def a_body_is_longer_than_announced(site: Site) -> None:
    with connected(site) as connection:
        connection.sendall(
            head(site, "POST", "/echo", "Content-Length: 5") + b"hello, world, this is too much\r\n"
        )
        received = to_the_end(connection)

    first, _, rest = received.partition(b"\r\n\r\n")
    assert first.startswith(b"HTTP/1.1 200 ")
    assert rest.startswith(b"hello")
    assert b"world" not in received
    assert b"HTTP/1.1 400 " in rest


def a_length_is_no_number(site: Site) -> None:
    with connected(site) as connection:
        connection.sendall(head(site, "POST", "/echo", "Content-Length: much") + b"hello")
        assert to_the_end(connection).startswith(b"HTTP/1.1 400 ")


def a_body_has_two_lengths(site: Site) -> None:
    with connected(site) as connection:
        lines = ("Content-Length: 5", "Content-Length: 6")
        connection.sendall(head(site, "POST", "/echo", *lines) + b"hello")
        assert to_the_end(connection).startswith(b"HTTP/1.1 400 ")


def an_upgrade_without_a_key(site: Site) -> None:
    assert upgraded(site, "/ws", "Upgrade: websocket", "Connection: Upgrade") == 400


def an_upgrade_with_a_wrong_key(site: Site) -> None:
    lines = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13")
    assert upgraded(site, "/ws", *lines, "Sec-WebSocket-Key: x") == 400


def an_upgrade_to_an_unknown_version(site: Site) -> None:
    lines = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 99")
    assert upgraded(site, "/ws", *lines, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==") in {400, 426}


def an_upgrade_to_nonsense(site: Site) -> None:
    assert upgraded(site, "/about", "Upgrade: nonsense", "Connection: Upgrade, close") == 200


def an_upgrade_where_there_is_no_websocket(site: Site) -> None:
    with pytest.raises(InvalidStatus) as refused:
        websockets.sync.client.connect(websocket_address(site, "/about"), proxy=None)
    assert refused.value.response.status_code == 403


def a_websocket_is_asked_for_without_upgrade(site: Site) -> None:
    assert upgraded(site, "/ws", "Connection: close") == 404


def a_websocket_is_refused(site: Site) -> None:
    with pytest.raises(InvalidStatus) as refused:
        websockets.sync.client.connect(websocket_address(site, "/refused"), proxy=None)
    assert refused.value.response.status_code == 403


def a_websocket_is_never_accepted(site: Site) -> None:
    began = time.monotonic()
    with pytest.raises(InvalidStatus) as refused:
        websockets.sync.client.connect(websocket_address(site, "/never"), proxy=None, open_timeout=60)
    assert refused.value.response.status_code == 504
    assert time.monotonic() - began > DEADLINE - 0.1


def a_websocket_is_closed_properly(site: Site) -> None:
    noticed = times_left(site, "websocket")
    with websockets.sync.client.connect(websocket_address(site, "/ws"), proxy=None) as connection:
        connection.send("hello")
        assert connection.recv() == "hello"
    wait_until_left(site, "websocket", noticed + 1)


def a_websocket_is_dropped(site: Site) -> None:
    noticed = times_left(site, "websocket")
    with connected(site) as connection:
        websocket_handshake(site, connection, "/ws")
    wait_until_left(site, "websocket", noticed + 1)


def a_websocket_is_dropped_in_the_middle_of_a_message(site: Site) -> None:
    noticed = times_left(site, "websocket")
    with connected(site) as connection:
        websocket_handshake(site, connection, "/ws")
        connection.sendall(b"\x81\xfe\x10\x00\x00\x00\x00\x00half of it")
    wait_until_left(site, "websocket", noticed + 1)


def a_message_is_not_masked(site: Site) -> None:
    with connected(site) as connection:
        websocket_handshake(site, connection, "/ws")
        connection.sendall(b"\x81\x02hi")
        received = to_the_end(connection)
    assert received[:1] == b"\x88"
    assert int.from_bytes(received[2:4], "big") == 1002


def nobody_answers(site: Site) -> None:
    began = time.monotonic()
    response = site.get("/silence")
    assert (response.status_code, response.text) == (504, "Gateway Timeout\n")
    assert time.monotonic() - began > DEADLINE - 0.1


def nobody_takes_the_body(site: Site) -> None:
    # The server may close the connection before all of it is written.
    with contextlib.suppress(httpx.WriteError):
        assert site.post("/silence", content=bytes(30_000_000)).status_code == 504


def a_body_is_refused_unread(site: Site) -> None:
    with contextlib.suppress(httpx.WriteError):
        assert site.post("/refuse", content=bytes(5_000_000)).status_code == 413


def the_application_raises(site: Site) -> None:
    response = site.get("/boom")
    assert response.status_code == 500
    assert "secret" not in response.text


def the_application_raises_in_the_middle(site: Site) -> None:
    with pytest.raises(httpx.RemoteProtocolError, match="incomplete"):
        site.get("/boom-late")


def a_response_is_shorter_than_announced(site: Site) -> None:
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
        site.get("/short")


def a_response_is_longer_than_announced(site: Site) -> None:
    assert site.get("/long").text == "the beginning"


def upgraded(site: Site, path: str, *lines: str) -> int:
    """Ask for an upgrade; the status of the answer."""
    with connected(site) as connection:
        connection.sendall(head(site, "GET", path, *lines))
        return int(connection.recv(65536).split()[1])


SLOW = [
    a_websocket_is_never_accepted,
    nobody_answers,
    nobody_takes_the_body,
]
QUICK = [
    a_client_leaves_in_the_middle_of_its_upload,
    a_client_leaves_in_the_middle_of_a_chunk,
    a_client_leaves_in_the_middle_of_a_head,
    a_client_leaves_instead_of_continuing,
    a_client_leaves_in_the_middle_of_a_download,
    a_client_leaves_an_endless_response,
    a_client_leaves_before_there_is_a_response,
    a_body_is_longer_than_announced,
    a_length_is_no_number,
    a_body_has_two_lengths,
    an_upgrade_without_a_key,
    an_upgrade_with_a_wrong_key,
    an_upgrade_to_an_unknown_version,
    an_upgrade_to_nonsense,
    an_upgrade_where_there_is_no_websocket,
    a_websocket_is_asked_for_without_upgrade,
    a_websocket_is_refused,
    a_websocket_is_closed_properly,
    a_websocket_is_dropped,
    a_websocket_is_dropped_in_the_middle_of_a_message,
    a_message_is_not_masked,
    a_body_is_refused_unread,
    the_application_raises,
    the_application_raises_in_the_middle,
    a_response_is_shorter_than_announced,
    a_response_is_longer_than_announced,
]


def connections(server: MattermostServer) -> int:
    """How many connections of clients the server has."""
    port = httpx.URL(server.url).port
    return sum(
        found.laddr.port == port and found.status != psutil.CONN_LISTEN
        for found in psutil.Process(server.pid).net_connections("tcp")
    )


@pytest.mark.parametrize("case", QUICK + SLOW, ids=lambda case: case.__name__)
def test_what_is_wrong_ends_and_leaves_nothing(
    site: Site, server: MattermostServer, asgi_plugin: InstalledPlugin, case: Callable[[Site], None]
) -> None:
    case(site)  # makes what is kept
    before, tasks, clients = Resources.of(asgi_plugin), site.get("/tasks").json(), connections(server)

    for _ in range(3 if case in SLOW else TIMES):
        case(site)

    spare = 2 if case in SLOW else TIMES // 2
    Resources.wait_for(asgi_plugin, before, spare)
    deadline = time.monotonic() + 60
    while site.get("/tasks").json() > tasks + spare or connections(server) > clients + spare:
        assert time.monotonic() < deadline, (
            f"{site.get('/tasks').json()} tasks after {tasks}, {connections(server)} clients after {clients}"
        )
        time.sleep(0.1)


def test_requests_that_nobody_waits_for_are_given_up(site: Site, asgi_plugin: InstalledPlugin) -> None:
    cancelled = times_left(site, "silence")
    with connected(site) as connection:
        connection.sendall(head(site, "GET", "/silence"))

    wait_until_left(site, "silence", cancelled + 1)
    asgi_plugin.wait_for_log("/silence was given up", level="warn")


def test_the_log_says_what_was_wrong(site: Site, asgi_plugin: InstalledPlugin) -> None:
    a_client_leaves_in_the_middle_of_its_upload(site)
    asgi_plugin.wait_for_log("A request to the plugin failed", path="/upload")
    nobody_answers(site)
    asgi_plugin.wait_for_log("A request to the plugin failed", path="/silence", status="504")
    a_response_is_shorter_than_announced(site)
    asgi_plugin.wait_for_log("The plugin's response broke off", path="/short")
    a_response_is_longer_than_announced(site)
    record = asgi_plugin.wait_for_log("Exception in ASGI application", level="error")
    assert record.fields["traceback"]
