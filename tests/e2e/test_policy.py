"""What a plugin asks of the bridge in its manifest, under `props.mattermost_plugin`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.conftest import PLUGINS
from tests.e2e.tampering import tampered
from tests.harness import RestError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.conftest import BuildBundle
    from tests.harness import InstalledPlugin, Json, RestClient

pytestmark = pytest.mark.e2e


@pytest.fixture
def start(
    bundle: BuildBundle, install: Callable[[Path], InstalledPlugin], tmp_path: Path
) -> Callable[..., InstalledPlugin]:
    """Run the witness under another id, with wishes of its own."""

    def start(**wishes: Any) -> InstalledPlugin:
        def change(manifest: Json) -> None:
            manifest.update(id="org.example.wishing-witness", props={"mattermost_plugin": wishes})

        plugin = install(tampered(bundle(PLUGINS / "witness"), tmp_path / "bundle.tar.gz", manifest=change))
        plugin.enable()
        return plugin

    return start


def test_on_failure_reject_rejects_what_a_failing_hook_was_asked_about(
    start: Callable[..., InstalledPlugin], alice: RestClient, channel: Json
) -> None:
    start(on_failure="reject")

    with pytest.raises(RestError, match="Post rejected by plugin") as caught:
        alice.create_post(channel["id"], "raise a private detail")

    assert "private detail" not in caught.value.message
    assert alice.create_post(channel["id"], "fine")["message"] == "fine"


def test_a_hook_that_takes_too_long_is_given_up(
    start: Callable[..., InstalledPlugin], alice: RestClient, channel: Json
) -> None:
    plugin = start(hook_timeouts={"message_will_be_posted": 0.5})

    begun = time.monotonic()
    post = alice.create_post(channel["id"], "slow 40")

    assert post["message"] == "slow 40"
    assert time.monotonic() - begun < 35
    plugin.wait_for_log(level="error", hook="MessageWillBePosted")
