"""What the harness itself promises, on real servers."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.e2e.conftest import ROOT
from tests.harness import RestError, ServerStartError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.harness import MattermostServer, TestBench

pytestmark = pytest.mark.e2e


def test_a_server_that_cannot_listen_says_so_and_is_gone(bench: TestBench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ServerStartError, match="address already in use"):
            bench.start_server(port=port)


def test_nothing_can_be_switched_on_that_reaches_outside(server: MattermostServer) -> None:
    server.admin.patch_config({"PluginSettings": {"EnableMarketplace": True}})

    config = server.admin.get("config")
    assert config["PluginSettings"]["EnableMarketplace"] is False
    assert config["LogSettings"]["EnableDiagnostics"] is False
    assert config["EmailSettings"]["SendPushNotifications"] is False


def test_an_error_of_the_server_carries_what_it_said(server: MattermostServer) -> None:
    with pytest.raises(RestError) as caught:
        server.admin.get("users/username/nobody-of-that-name")

    assert (caught.value.status, caught.value.id) == (404, "app.user.get_by_username.app_error")
    assert caught.value.message.startswith("Unable to find an existing account")


def test_processes_that_want_the_server_at_once_build_it_once(tmp_path: Path) -> None:
    gocache = subprocess.run(["go", "env", "GOCACHE"], capture_output=True, text=True, check=True).stdout
    # A cache of our own for the built server, with Go's cache as it is: minutes become seconds.
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "GOCACHE": gocache.strip()}
    command = [sys.executable, "-m", "tests.harness"]
    builders = [
        subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [builder.communicate()[1] for builder in builders]

    assert [builder.returncode for builder in builders] == [0, 0]
    assert sorted(text.count("Building the Mattermost server (") for text in said) == [0, 1]
    [program] = tmp_path.glob("mattermost-plugin/server/*/mattermost")

    (program.parent / "fonts").rename(program.parent / "no-longer-fonts")
    again = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert "The Mattermost server is built" in again.stderr
    assert (program.parent / "fonts").is_dir()
