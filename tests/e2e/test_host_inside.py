"""On a server that has package host inside (`make adoption`): nothing is between the server and Python."""

from __future__ import annotations

import io
import json
import os
import subprocess
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.e2e.conftest import ROOT
from tests.e2e.tampering import tampered
from tests.harness import InstalledPlugin, PluginStartError, PluginState
from tests.harness.build import SERVER_VARIABLE, find_go

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.conftest import BuildBundle
    from tests.harness import Json, MattermostServer, RestClient

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        SERVER_VARIABLE not in os.environ, reason="the server is a stock one; see `make adoption`"
    ),
]

HELLO = ROOT / "examples" / "hello"
GO_PLUGIN = "org.example.in-go"


@pytest.fixture
def native(bundle: BuildBundle, tmp_path: Path) -> Path:
    """The example `hello` for servers that know `runtime` and `entrypoint`, without executables."""
    return tampered(
        bundle(HELLO),
        tmp_path / "bundle.tar.gz",
        manifest=lambda manifest: manifest["server"].pop("executables"),
    )


@pytest.fixture
def in_go(tmp_path: Path) -> Path:
    """A bundle with a stock Go plugin, over net/rpc, which appends a word to each post."""
    executable = tmp_path / "plugin"
    command = [find_go(), "build", "-o", str(executable), "./host/internal/witness/netrpc"]
    subprocess.run(command, cwd=ROOT / "go", check=True)
    manifest = {
        "id": GO_PLUGIN,
        "name": "In Go",
        "version": "1.0.0",
        "server": {"executable": "server/plugin"},
    }
    path = tmp_path / "go.tar.gz"
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for name, content, mode in (
            ("plugin.json", json.dumps(manifest).encode(), 0o644),
            ("server/plugin", executable.read_bytes(), 0o755),
        ):
            member = tarfile.TarInfo(f"{GO_PLUGIN}/{name}")
            member.size, member.mode = len(content), mode
            archive.addfile(member, io.BytesIO(content))
    return path


def test_a_script_is_a_child_of_the_server(
    install: Callable[[Path], InstalledPlugin], native: Path, alice: RestClient, channel: Json
) -> None:
    plugin = install(native)
    plugin.enable()

    [process] = plugin.processes()
    assert Path(process.exe()).name.startswith("python")
    parent = process.parent()
    assert parent is not None
    assert parent.name() == "mattermost"
    assert alice.create_post(channel["id"], "hello")["message"] == "hello :wave:"


def test_a_bundle_with_a_bridge_needs_none_here(
    install: Callable[[Path], InstalledPlugin], bundle: BuildBundle, alice: RestClient, channel: Json
) -> None:
    plugin = install(bundle(HELLO))
    plugin.enable()

    [process] = plugin.processes()
    assert Path(process.exe()).name.startswith("python")
    assert alice.create_post(channel["id"], "hello")["message"] == "hello :wave:"


def test_plugins_of_both_kinds_see_a_post_in_the_order_of_their_ids(
    install: Callable[[Path], InstalledPlugin], native: Path, in_go: Path, alice: RestClient, channel: Json
) -> None:
    for path in (in_go, native):
        install(path).enable()

    assert alice.create_post(channel["id"], "hello")["message"] == "hello :wave:, seen"


def test_a_process_that_dies_is_back_and_its_status_never_changed(
    install: Callable[[Path], InstalledPlugin],
    server: MattermostServer,
    native: Path,
    alice: RestClient,
    channel: Json,
) -> None:
    plugin = install(native)
    plugin.enable()
    [process] = plugin.processes()
    mark = server.log.mark()

    process.kill()

    plugin.wait_for_log("The plugin process was restarted", since=mark)
    assert plugin.status()["state"] == PluginState.RUNNING
    assert alice.create_post(channel["id"], "hello")["message"] == "hello :wave:"
    assert not psutil.pid_exists(process.pid)


def test_a_script_that_was_changed_is_not_run(
    install: Callable[[Path], InstalledPlugin], native: Path, tmp_path: Path
) -> None:
    path = tampered(
        native,
        tmp_path / "changed.tar.gz",
        scripts={"server/plugin.py": lambda text: text.replace("hello", "goodbye")},
        checksums=False,
    )
    plugin = install(path)

    with pytest.raises(PluginStartError, match="was changed after the bundle was built"):
        plugin.enable()

    assert plugin.status()["state"] == PluginState.FAILED_TO_START
