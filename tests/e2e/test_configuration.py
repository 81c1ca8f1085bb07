"""The plugin's settings, and the server's configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.harness import RestError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.witness import InstalledWitness
    from tests.harness import MattermostServer

pytestmark = pytest.mark.e2e


@pytest.fixture
def _site_name(server: MattermostServer) -> Iterator[None]:
    before = server.admin.get("config")["TeamSettings"]["SiteName"]
    yield
    server.admin.patch_config({"TeamSettings": {"SiteName": before}})


def test_the_configuration_is_known_before_activation(witness: InstalledWitness) -> None:
    # The defaults are those of the manifest.
    witness.wait_for_log("Configuration", greeting="good morning", limit="3")

    witness.wait_for_log("Activated")
    first, second, *_ = [
        record.message for record in witness.log() if record.message in {"Configuration", "Activated"}
    ]
    assert (first, second) == ("Configuration", "Activated")


def test_a_changed_setting_reaches_on_configuration_change(
    server: MattermostServer, witness: InstalledWitness
) -> None:
    mark = server.log.mark()
    witness.configure(greeting="good evening", limit=7)

    witness.wait_for_log("Configuration", since=mark, greeting="good evening", limit="7")


@pytest.mark.usefixtures("_site_name", "witness")
def test_a_configuration_is_saved_as_the_plugin_changed_it(server: MattermostServer) -> None:
    before = server.admin.get("config")
    saved = server.admin.patch_config({"TeamSettings": {"SiteName": "shout"}})

    assert saved["TeamSettings"]["SiteName"] == "SHOUT"
    after = server.admin.get("config")
    assert after["TeamSettings"].pop("SiteName") == "SHOUT"
    # Nothing else of the whole configuration was touched on its way through the plugin.
    del before["TeamSettings"]["SiteName"]
    assert after == before


@pytest.mark.usefixtures("_site_name", "witness")
def test_a_configuration_the_plugin_refuses_is_not_saved(server: MattermostServer) -> None:
    mark = server.log.mark()
    with pytest.raises(RestError, match="plugin hook on configuration save"):
        server.admin.patch_config({"TeamSettings": {"SiteName": "forbidden"}})

    # The server keeps the reason for itself.
    record = server.log.wait_for("An error occurred", since=mark, path="/api/v4/config/patch")
    assert "this name is taken" in record.fields["error"]
    assert server.admin.get("config")["TeamSettings"]["SiteName"] != "forbidden"
