"""What a request is to a plugin's ASGI application, and its response to the client."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.serving.conftest import Site
    from tests.harness import InstalledPlugin, MattermostServer, RestClient

pytestmark = pytest.mark.e2e


def test_the_application_learns_who_asks_for_what(
    site: Site, alice: RestClient, asgi_plugin: InstalledPlugin
) -> None:
    about = site.get("/about", params={"a": "1"}).json()

    root = f"/plugins/{asgi_plugin.id}"
    assert (about["user_id"], about["source_plugin_id"]) == (alice.user_id, "")
    assert about["plugin"] == "HTTPWitness"
    assert about["session_id"]
    assert len(about["request_id"]) == 26
    assert (about["ip_address"], about["client"]) == ("127.0.0.1", "127.0.0.1")
    assert (about["root_path"], about["path"], about["query"]) == (root, f"{root}/about", "a=1")
    assert about["same_in_state"]
    assert about["started"], "the state of the application's lifespan"
    assert site.get("/about/x%2Fy/z").json()["raw_path"] == f"{root}/about/x%2Fy/z"


def test_a_client_cannot_speak_for_the_server(site: Site, alice: RestClient) -> None:
    forged = {
        "X-Mattermost-Bridge-Context": "forged",
        "x-mattermost-bridge-ROOT": "/forged",
        "X_Mattermost_Bridge_Remote": "forged:1",
        "Mattermost-User-Id": "forged",
        "mattermost_user_id": "forged",
        "Mattermost_Plugin-ID": "forged",
        "Connection": "keep-alive, Mattermost-User-Id, X-Mattermost-Bridge-Context",
    }

    about = site.get("/about", headers=forged).json()
    stranger = httpx.get(site.base_url.join("about"), headers=forged, trust_env=False).json()

    assert (about["user_id"], about["source_plugin_id"]) == (alice.user_id, "")
    assert (stranger["user_id"], stranger["session_id"]) == ("", "")
    for seen in (about, stranger):
        assert "forged" not in str(seen)
        assert not [name for name in seen["headers"] if "bridge" in name]
    assert "authorization" not in about["headers"]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_methods_and_headers_arrive(site: Site, method: str) -> None:
    headers = [("X-Twice", "1"), ("X-Twice", "2"), ("X-Latin", "gr\u00fcn".encode("latin-1"))]

    seen = site.request(method, "/about", headers=headers).json()["headers"]

    assert seen["x-twice"] == ["1", "2"]
    assert seen["x-latin"] == ["gr\u00fcn"]
    assert seen["host"] == [site.base_url.netloc.decode()]


def test_the_response_arrives_as_it_was_made(site: Site) -> None:
    response = site.get("/headers")

    assert (response.status_code, response.text) == (418, "teapot")
    assert response.headers["x-own"] == "1"
    assert response.headers.get_list("cache-control") == ["max-age=7"]
    assert [cookie.split(";")[0] for cookie in response.headers.get_list("set-cookie")] == ["a=1", "b=2"]
    assert "server" not in response.headers
    assert len(response.headers.get_list("date")) == 1


def test_head_has_the_headers_and_no_body(site: Site) -> None:
    whole, head = site.get("/file"), site.head("/file")

    assert head.content == b""
    assert head.headers["content-length"] == str(len(whole.content))
    assert head.headers["etag"] == whole.headers["etag"]


def test_a_range_of_a_file(site: Site) -> None:
    whole = site.get("/file").content

    part = site.get("/file", headers={"Range": "bytes=10-19"})

    assert (part.status_code, part.content) == (206, whole[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(whole)}"


@pytest.mark.parametrize("size", [0, 1, 65_537, 3_000_000])
@pytest.mark.parametrize("chunked", [False, True])
def test_bodies_come_back_as_they_went(site: Site, size: int, chunked: bool) -> None:
    body = bytes(range(256)) * (size // 256 + 1)
    body = body[:size]

    def pieces() -> Iterator[bytes]:
        for at in range(0, size, 50_000):
            yield body[at : at + 50_000]

    response = site.post("/echo", content=pieces() if chunked else body)

    assert response.content == body


def test_an_exception_is_a_500_without_its_text(site: Site, asgi_plugin: InstalledPlugin) -> None:
    response = site.get("/boom")

    assert response.status_code == 500
    assert "secret" not in response.text
    record = asgi_plugin.wait_for_log("Exception in ASGI application", level="error")
    assert "RuntimeError: the secret of boom" in record.fields["traceback"]


def test_a_response_that_breaks_off_is_seen_to(site: Site) -> None:
    with pytest.raises(httpx.RemoteProtocolError, match="incomplete"):
        site.get("/boom-late")


def test_an_application_that_never_answers_is_a_504_after_the_deadline(
    site: Site, asgi_plugin: InstalledPlugin
) -> None:
    began = time.monotonic()

    response = site.get("/silence")

    assert response.status_code == 504
    assert time.monotonic() - began > 2.9
    asgi_plugin.wait_for_log("A request to the plugin failed", level="error", path="/silence")


def test_an_application_that_does_not_take_the_body_is_a_504_after_the_deadline(site: Site) -> None:
    response = site.post("/silence", content=bytes(30_000_000))

    assert response.status_code == 504


def test_no_line_for_every_request(
    site: Site, server: MattermostServer, asgi_plugin: InstalledPlugin
) -> None:
    mark = server.log.mark()

    site.get("/about")

    lines = server.log.find(since=mark, plugin_id=asgi_plugin.id)
    assert [line for line in lines if line.level in {"info", "warn", "error"}] == []


def test_metrics_are_served_on_the_listener_for_metrics(
    server: MattermostServer, asgi_plugin: InstalledPlugin, flask_plugin: InstalledPlugin
) -> None:
    address = server.log.wait_for("Metrics and profiling server is started").fields["address"]

    response = httpx.get(f"http://{address}/plugins/{asgi_plugin.id}/metrics", trust_env=False)
    nothing = httpx.get(f"http://{address}/plugins/{flask_plugin.id}/metrics", trust_env=False)

    assert re.search(r"^witness_answer 42\.0$", response.text, re.MULTILINE)
    assert nothing.status_code == 404
