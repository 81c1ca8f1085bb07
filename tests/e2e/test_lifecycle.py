"""From upload to removal, and what happens when a process dies."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.e2e.conftest import PLUGINS, ROOT
from tests.e2e.witness import InstalledWitness
from tests.harness import InstalledPlugin, PluginState, RestError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.conftest import BuildBundle
    from tests.harness import Json, MattermostServer, RestClient, TestBench

pytestmark = pytest.mark.e2e


def _python(plugin: InstalledPlugin) -> psutil.Process:
    """Return the plugin's Python process."""
    [process] = [process for process in plugin.processes() if Path(process.exe()).name.startswith("python")]
    return process


def test_an_uploaded_plugin_runs_when_it_is_enabled(
    server: MattermostServer,
    bundle: BuildBundle,
    install: Callable[[Path], InstalledPlugin],
    alice: RestClient,
    channel: Json,
) -> None:
    plugin = install(bundle(ROOT / "examples" / "hello"))

    assert (plugin.manifest["id"], plugin.manifest["version"]) == ("com.example.hello", "1.0.0")
    assert plugin.status()["state"] == PluginState.NOT_RUNNING
    assert plugin.processes() == []

    plugin.enable()

    assert plugin.status()["state"] == PluginState.RUNNING
    assert _python(plugin).is_running()
    plugin.wait_for_log("Hello from Python", level="info", server_version="11.4.0")


def test_disabling_deactivates_and_enabling_activates_again(
    server: MattermostServer, witness: InstalledWitness, alice: RestClient, channel: Json
) -> None:
    processes = witness.processes()
    assert len(processes) >= 2

    mark = server.log.mark()
    witness.disable()

    witness.wait_for_log("Deactivated", since=mark)
    assert witness.status()["state"] == PluginState.NOT_RUNNING
    gone, alive = psutil.wait_procs(processes, timeout=20)
    assert (len(gone), alive) == (len(processes), [])
    alice.create_post(channel["id"], "reject nobody listens")

    mark = server.log.mark()
    witness.enable()

    with pytest.raises(RestError, match="somebody listens"):
        alice.create_post(channel["id"], "reject somebody listens")
    assert len(server.log.find("Deactivated", since=mark, plugin_id=witness.id)) == 0


def test_on_deactivate_runs_once(server: MattermostServer, witness: InstalledWitness) -> None:
    mark = server.log.mark()

    witness.disable()

    server.log.wait_for("plugin exited", since=mark, plugin_id=witness.id)
    assert len(server.log.find("Deactivated", since=mark, plugin_id=witness.id)) == 1


def test_the_plugin_works_again_after_its_python_process_was_killed(
    server: MattermostServer, witness: InstalledWitness, alice: RestClient, channel: Json
) -> None:
    before = _python(witness)
    witness.run(alice, channel, "kv_set", "kept", "value")

    mark = server.log.mark()
    before.kill()

    witness.wait_for_log("Activated", since=mark)
    assert _python(witness).pid != before.pid
    with pytest.raises(RestError, match="back again"):
        alice.create_post(channel["id"], "reject back again")
    assert witness.run(alice, channel, "kv_get", "kept") == "value"
    assert witness.status()["state"] == PluginState.RUNNING
    # Somebody has to be able to see in the log that it happened.
    assert server.log.find(level="error", since=mark, plugin_id=witness.id) or server.log.find(
        level="warn", since=mark, plugin_id=witness.id
    )


def test_what_happens_while_python_is_restarted_is_told_afterwards(
    server: MattermostServer, witness: InstalledWitness, alice: RestClient, channel: Json
) -> None:
    mark = server.log.mark()
    _python(witness).kill()

    post = alice.create_post(channel["id"], "is anybody there?")

    witness.wait_for_log("Activated", since=mark)
    witness.wait_for_log("Posted", since=mark, post_id=post["id"])


def test_the_shutdown_of_the_server_deactivates_plugins_and_leaves_no_process(
    bench: TestBench, bundle: BuildBundle
) -> None:
    server = bench.start_server()
    witness = InstalledWitness(server, bundle(PLUGINS / "witness"))
    witness.enable()
    processes = witness.processes()
    assert _python(witness) in processes

    server.stop()  # raises if anything the server started is left

    assert not [process for process in processes if process.is_running()]
    assert len(witness.log("Deactivated")) == 1


def test_a_server_that_is_killed_leaves_no_plugin_process(bench: TestBench, bundle: BuildBundle) -> None:
    server = bench.start_server()
    witness = InstalledWitness(server, bundle(PLUGINS / "witness"))
    witness.enable()
    processes = witness.processes()

    psutil.Process(server.pid).kill()

    _, alive = psutil.wait_procs(processes, timeout=30)
    server.kill()
    assert alive == []
