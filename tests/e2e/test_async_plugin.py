"""A plugin on asyncio does the same as one on threads."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.e2e.conftest import PLUGINS, running
from tests.harness import InstalledPlugin, RestError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.conftest import BuildBundle
    from tests.harness import Json, MattermostServer, RestClient

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def uploaded(server: MattermostServer, bundle: BuildBundle) -> InstalledPlugin:
    return InstalledPlugin(server, bundle(PLUGINS / "async_witness"))


@pytest.fixture
def plugin(uploaded: InstalledPlugin) -> Iterator[InstalledPlugin]:
    with running(uploaded):
        yield uploaded


def test_coroutines_and_plain_functions_are_hooks(
    plugin: InstalledPlugin, alice: RestClient, channel: Json
) -> None:
    with pytest.raises(RestError, match="no, says the loop"):
        alice.create_post(channel["id"], "reject me")

    post = alice.create_post(channel["id"], "fine")
    plugin.wait_for_log("Posted", post_id=post["id"], author="alice")


def test_api_calls_run_side_by_side(plugin: InstalledPlugin, alice: RestClient, channel: Json) -> None:
    result = json.loads(alice.run_command(channel["id"], "/awitness")["text"])

    assert result["values"] == [f"parallel-{number}" for number in range(50)]
    assert result["missing"] == "app.channel.get_by_name.missing.app_error"


def test_it_is_deactivated_and_activated_again(
    server: MattermostServer, plugin: InstalledPlugin, alice: RestClient, channel: Json
) -> None:
    mark = server.log.mark()
    plugin.disable()
    plugin.wait_for_log("Deactivated", since=mark)

    plugin.enable()
    with pytest.raises(RestError, match="no, says the loop"):
        alice.create_post(channel["id"], "reject me")
