"""WSGI applications, the SDK's router, and no application at all."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.e2e.conftest import ROOT
from tests.e2e.serving.resources import Resources

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.conftest import BuildBundle
    from tests.e2e.serving.conftest import Site
    from tests.harness import InstalledPlugin, MattermostServer, RestClient

pytestmark = pytest.mark.e2e

MIB = 1 << 20


@pytest.fixture
def flask(flask_plugin: InstalledPlugin, site_of: Callable[[InstalledPlugin], Site]) -> Site:
    return site_of(flask_plugin)


@pytest.fixture
def router(router_plugin: InstalledPlugin, site_of: Callable[[InstalledPlugin], Site]) -> Site:
    return site_of(router_plugin)


def test_a_flask_application_learns_who_asks(
    flask: Site, flask_plugin: InstalledPlugin, alice: RestClient
) -> None:
    forged = {"Mattermost_User_Id": "forged", "X_Mattermost_Bridge_Context": "forged"}

    about = flask.get("/about", headers=forged).json()
    stranger = httpx.get(flask.base_url.join("about"), headers=forged, trust_env=False).json()

    assert (about["user_id"], about["username"]) == (alice.user_id, "alice")
    assert len(about["request_id"]) == 26
    assert (about["script_root"], about["path"]) == (f"/plugins/{flask_plugin.id}", "/about")
    assert about["environ"]["HTTP_MATTERMOST_USER_ID"] == alice.user_id
    assert stranger["user_id"] == ""
    assert "forged" not in f"{about} {stranger}"


def test_a_flask_application_streams_in_constant_memory(flask: Site, flask_plugin: InstalledPlugin) -> None:
    size = 256 * MIB
    expected = hashlib.blake2b(bytes(size)).hexdigest()

    with Resources(flask_plugin) as resources:
        uploaded = flask.post("/upload", content=(bytes(MIB) for _ in range(size // MIB))).json()
        with flask.stream("GET", "/download", params={"size": size}) as response:
            downloaded = sum(len(piece) for piece in response.iter_raw())

    assert uploaded == {"size": size, "digest": expected}
    assert downloaded == size
    assert resources.growth < 64 * MIB


def test_a_flask_application_is_told_that_the_client_left(flask: Site) -> None:
    with flask.stream("GET", "/events") as response:
        next(response.iter_raw())

    deadline = time.monotonic() + 60
    while "events" not in flask.get("/left").json():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_an_exception_in_flask_is_a_500_without_its_text(flask: Site, flask_plugin: InstalledPlugin) -> None:
    response = flask.get("/boom")

    assert response.status_code == 500
    assert "secret" not in response.text
    record = flask_plugin.wait_for_log("Exception on /boom", level="error")
    assert "RuntimeError: the secret of flask" in record.fields["traceback"]


def test_the_router_calls_the_handlers_of_the_plugin(router: Site, alice: RestClient) -> None:
    user = router.get(f"/users/{alice.user_id}", params={"q": "gr\u00fcn"}).json()
    doubled = router.post("/json", json={"number": 21})
    deleted = router.delete("/things/a/b")
    teapot = router.head("/teapot")

    assert (user["username"], user["asked_by"], user["q"]) == ("alice", alice.user_id, "gr\u00fcn")
    assert doubled.json() == {"twice": 42}
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert (teapot.status_code, teapot.content, teapot.headers["content-length"]) == (418, b"", "15")


def test_an_exception_in_a_handler_is_a_500_without_its_text(
    router: Site, router_plugin: InstalledPlugin
) -> None:
    response = router.get("/boom")

    assert (response.status_code, response.text) == (500, "Internal Server Error")
    record = router_plugin.wait_for_log("RouterWitness.boom of GET /boom failed", level="error")
    assert "RuntimeError: the secret of the router" in record.fields["traceback"]


def test_a_plugin_that_serves_no_http_answers_404(
    server: MattermostServer, bundle: BuildBundle, install: Callable[[Path], InstalledPlugin]
) -> None:
    plugin = install(bundle(ROOT / "examples" / "hello"))
    plugin.enable()

    response = httpx.get(f"{server.url}/plugins/{plugin.id}/anything", trust_env=False)

    assert response.status_code == 404
