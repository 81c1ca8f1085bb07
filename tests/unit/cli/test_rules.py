"""The build gives manifests the verdicts that the bridge gives."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from mattermost_plugin.cli import BuildError
from mattermost_plugin.cli._bundle_schema import MANIFEST, SETTINGS
from mattermost_plugin.cli._project import read_project

WritePlugin = Callable[..., Path]

ROOT = Path(__file__).parents[3]
# go/host/rules_test.go has the same table.
TABLE: list[dict[str, Any]] = [
    entry
    for entry in json.loads((ROOT / "tests/bundle/manifests.json").read_text(encoding="utf-8"))
    if "server.requires_python" not in entry["change"]  # which the build itself writes
]


def changed(change: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of a manifest that differ from those of a valid one; null removes a key."""
    manifest: dict[str, Any] = {"server": {"entrypoint": "server/plugin.py", "runtime": "python3"}}
    for key, value in change.items():
        *above, last = key.split(".")
        table = manifest
        for name in above:
            table = table.setdefault(name, {})
        table[last] = value
        if above and value is None:
            del table[last]
    return manifest


@pytest.mark.parametrize("entry", TABLE, ids=[entry["name"] for entry in TABLE])
def test_a_manifest_gets_the_verdict_that_the_bridge_gives(
    write_plugin: WritePlugin, entry: dict[str, Any]
) -> None:
    folder = write_plugin(manifest=changed(entry["change"]), files={"server/plugin.py": ""})
    if not entry["refused"]:
        read_project(folder)
        return
    with pytest.raises(BuildError) as raised:
        read_project(folder)
    assert [problem.key for problem in raised.value.problems] == [entry["refused"]]


def test_the_documentation_names_every_setting() -> None:
    text = (ROOT / "docs/bundles.md").read_text(encoding="utf-8")
    assert [rule.key for rule in (*SETTINGS, *MANIFEST) if rule.key.rpartition(".")[2] not in text] == []
