"""The author's settings class is filled from what the server has stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.conftest import PLUGINS, running
from tests.harness import InstalledPlugin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.conftest import BuildBundle
    from tests.harness import MattermostServer

pytestmark = pytest.mark.e2e
SECRET = "s3cret-value"


@pytest.fixture(scope="module")
def uploaded(server: MattermostServer, bundle: BuildBundle) -> InstalledPlugin:
    return InstalledPlugin(server, bundle(PLUGINS / "settings"))


@pytest.fixture
def plugin(uploaded: InstalledPlugin) -> Iterator[InstalledPlugin]:
    with running(uploaded):
        yield uploaded


def shown(key: str = "'***'", limit: int = 3, mode: str = "<Mode.MASK: 'mask'>", rules: str = "[]") -> str:
    return f"Settings(api_key={key}, limit={limit}, enabled=True, mode={mode}, rules={rules})"


def test_a_new_installation_has_the_defaults_of_the_class(plugin: InstalledPlugin) -> None:
    plugin.wait_for_log("Settings", settings=shown(key="'unset'"))


def test_settings_are_of_the_types_of_the_class_and_secrets_are_not_shown(
    server: MattermostServer, plugin: InstalledPlugin
) -> None:
    mark = server.log.mark()
    plugin.configure(apikey=SECRET, limit="7", mode="reject", rules=[{"pattern": "x", "Severity": "2"}])

    plugin.wait_for_log(
        "Settings",
        since=mark,
        settings=shown(limit=7, mode="<Mode.REJECT: 'reject'>", rules="[Rule(pattern='x', severity=2)]"),
        length=str(len(SECRET)),
    )


def test_after_a_bad_change_the_old_settings_stay_and_one_line_says_why(
    server: MattermostServer, plugin: InstalledPlugin
) -> None:
    plugin.configure(limit=5)
    plugin.wait_for_log("Settings", settings=shown(key="'unset'", limit=5))
    mark = server.log.mark()
    plugin.configure(limit="several", apikey=[SECRET], mode="shout")

    plugin.wait_for_log("Settings", since=mark, settings=shown(key="'unset'", limit=5))
    failed = plugin.wait_for_log("Hook on_configuration_change raised SettingsError", since=mark)
    assert failed.message.endswith(
        "settings api_key should be str, but the server has a list; limit should be int, but the server has "
        "a text; mode should be 'mask' or 'reject', but the server has another value: set them in "
        "System Console > Plugins > settings"
    )
    records = server.log.records(mark)
    assert [record for record in records if SECRET in f"{record} {record.fields}"] == []
    assert len([record for record in records if "raised SettingsError" in record.message]) == 1
