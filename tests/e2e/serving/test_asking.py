"""Plugins that ask each other, on threads and on asyncio."""

from __future__ import annotations

import hashlib
import logging
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.serving.resources import Resources

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.serving.conftest import Site
    from tests.harness import InstalledPlugin

pytestmark = pytest.mark.e2e

logger = logging.getLogger(__name__)

MIB = 1 << 20
SIZE = 256 * MIB

# What the bridge and Python of the plugin that asks may grow by together (docs/design/http.md).
GROWTH = 64 * MIB


@pytest.fixture(params=["flask_plugin", "asking_plugin"])
def asking(request: pytest.FixtureRequest) -> InstalledPlugin:
    """`PluginTransport` in a Flask application, `AsyncPluginTransport` in a FastAPI one."""
    plugin: InstalledPlugin = request.getfixturevalue(request.param)
    return plugin


@pytest.fixture
def ask(
    asking: InstalledPlugin, asgi_plugin: InstalledPlugin, site_of: Callable[[InstalledPlugin], Site]
) -> Callable[[str], Any]:
    site = site_of(asking)

    def run(scenario: str) -> Any:
        response = site.get("/ask", params={"scenario": scenario})
        assert response.status_code == 200, response.text
        return response.json()

    return run


def test_the_other_plugin_learns_who_asks(
    ask: Callable[[str], Any], asking: InstalledPlugin, asgi_plugin: InstalledPlugin
) -> None:
    about = ask("about")

    assert (about["source_plugin_id"], about["user_id"]) == (asking.id, "")
    assert about["headers"]["x-own"] == ["yes"]
    assert (about["root_path"], about["query"]) == (f"/plugins/{asgi_plugin.id}", "a=1")


@pytest.mark.parametrize("way", ["upload", "download"])
def test_large_bodies_pass_in_constant_memory(
    ask: Callable[[str], Any], asking: InstalledPlugin, way: str
) -> None:
    block = bytes(1 << 16) if way == "upload" else bytes(range(256)) * 256
    expected = hashlib.blake2b()
    for _ in range(SIZE // len(block)):
        expected.update(block)
    ask("about")

    begin = time.monotonic()
    with Resources(asking) as resources:
        found = ask(way)

    logger.info("%s: %.0f MB/s, grew by %d", way, SIZE / 1e6 / (time.monotonic() - begin), resources.growth)
    assert found == {"size": SIZE, "digest": expected.hexdigest()}
    assert resources.growth < GROWTH


def test_responses_and_errors_are_those_of_httpx(ask: Callable[[str], Any]) -> None:
    assert ask("events") > 0.15, "they came together"
    assert ask("statuses") == [418, 500, 404]
    assert ask("silence") == "the plugin did not answer in time"
    assert ask("nobody") == 404
    assert "after 13 of 100 bytes" in ask("broken_response")


def test_what_is_cut_short_leaves_nothing(ask: Callable[[str], Any], asking: InstalledPlugin) -> None:
    outcomes = {
        "first_pieces": True,
        "broken_source": "the source broke",
        "unwanted": 413,
        "silence": "the plugin did not answer in time",
        "broken_response": "the response ended after 13 of 100 bytes",
    }
    for scenario, outcome in outcomes.items():
        assert ask(scenario) == outcome
    before = Resources.of(asking)

    for _ in range(5):
        for scenario, outcome in outcomes.items():
            assert ask(scenario) == outcome

    Resources.wait_for(asking, before)
