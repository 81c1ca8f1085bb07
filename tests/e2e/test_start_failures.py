"""A plugin that cannot start: one clear line in the server's log, and in the plugin's status."""

from __future__ import annotations

import shutil
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tests.e2e.conftest import ROOT
from tests.e2e.tampering import tampered
from tests.harness import InstalledPlugin, PluginState, RestError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.conftest import BuildBundle
    from tests.harness import LogRecord

pytestmark = pytest.mark.e2e

HELLO = ROOT / "examples" / "hello"


def _fails_to_start(plugin: InstalledPlugin) -> str:
    """Enable the plugin and return the error in its status."""
    # The server may answer with the failure; what counts is what it keeps of it.
    with suppress(RestError):
        plugin.enable()
    status = plugin.status()
    assert status["state"] == PluginState.FAILED_TO_START
    assert plugin.processes() == []
    return str(status["error"])


def _errors(plugin: InstalledPlugin, text: str) -> list[LogRecord]:
    """Return the error records of the plugin that contain `text` in the message or in a field."""
    plugin.wait_for_log(level="error")
    return [record for record in plugin.log(level="error") if text in f"{record.message} {record.fields}"]


def test_no_interpreter(
    bundle: BuildBundle, install: Callable[[Path], InstalledPlugin], tmp_path: Path
) -> None:
    path = tampered(
        bundle(HELLO),
        tmp_path / "bundle.tar.gz",
        manifest=lambda manifest: manifest["server"].update(runtime="python-of-nowhere"),
    )
    plugin = install(path)

    error = _fails_to_start(plugin)

    assert "python-of-nowhere" in error
    assert "\n" not in error
    assert _errors(plugin, "python-of-nowhere")


def test_an_import_that_fails(
    bundle: BuildBundle, install: Callable[[Path], InstalledPlugin], tmp_path: Path
) -> None:
    folder = tmp_path / "plugin"
    shutil.copytree(HELLO, folder)
    entrypoint = folder / "plugin.py"
    entrypoint.write_text("import a_module_that_is_not_there\n" + entrypoint.read_text())
    plugin = install(bundle(folder))

    error = _fails_to_start(plugin)

    assert "ModuleNotFoundError: No module named 'a_module_that_is_not_there'" in error
    [*_, record] = _errors(plugin, "a_module_that_is_not_there")
    assert record.level == "error"
    everything = "\n".join(f"{record.message} {record.fields}" for record in plugin.log())
    assert "Traceback (most recent call last)" in everything
    assert "plugin.py" in everything


def test_an_import_that_fails_after_that_of_the_sdk(
    bundle: BuildBundle, install: Callable[[Path], InstalledPlugin], tmp_path: Path
) -> None:
    folder = tmp_path / "plugin"
    shutil.copytree(HELLO, folder)
    entrypoint = folder / "plugin.py"
    entrypoint.write_text(entrypoint.read_text().replace("log = ", "1 / 0\nlog = "))
    plugin = install(bundle(folder))

    error = _fails_to_start(plugin)

    assert "ZeroDivisionError: division by zero" in error
    everything = "\n".join(f"{record.message} {record.fields}" for record in plugin.log())
    assert "1 / 0" in everything


def test_on_activate_raises(
    bundle: BuildBundle, install: Callable[[Path], InstalledPlugin], tmp_path: Path
) -> None:
    folder = tmp_path / "plugin"
    shutil.copytree(HELLO, folder)
    entrypoint = folder / "plugin.py"
    entrypoint.write_text(
        entrypoint.read_text().replace("log.info(", 'raise ValueError("no licence")\n        log.info(')
    )
    plugin = install(bundle(folder))

    error = _fails_to_start(plugin)

    assert "no licence" in error
    assert _errors(plugin, "no licence")


def test_a_manifest_without_entrypoint(
    bundle: BuildBundle, install: Callable[[Path], InstalledPlugin], tmp_path: Path
) -> None:
    path = tampered(
        bundle(HELLO),
        tmp_path / "bundle.tar.gz",
        manifest=lambda manifest: manifest["server"].pop("entrypoint"),
    )
    plugin = install(path)

    error = _fails_to_start(plugin)

    assert "entrypoint" in error
    assert _errors(plugin, "entrypoint")


@pytest.mark.parametrize("entrypoint", ["../../../outside.py", "/etc/passwd"])
def test_an_entrypoint_outside_the_bundle(
    entrypoint: str, bundle: BuildBundle, install: Callable[[Path], InstalledPlugin], tmp_path: Path
) -> None:
    path = tampered(
        bundle(HELLO),
        tmp_path / "bundle.tar.gz",
        manifest=lambda manifest: manifest["server"].update(entrypoint=entrypoint),
    )
    plugin = install(path)

    error = _fails_to_start(plugin)

    assert entrypoint in error
    assert _errors(plugin, entrypoint)


def test_a_script_that_is_not_the_one_that_was_built(
    bundle: BuildBundle, install: Callable[[Path], InstalledPlugin], tmp_path: Path
) -> None:
    path = tampered(
        bundle(HELLO), tmp_path / "bundle.tar.gz", replace={"server/plugin.py": b"print('something else')\n"}
    )
    plugin = install(path)

    error = _fails_to_start(plugin)

    assert "server/plugin.py" in error
    assert _errors(plugin, "server/plugin.py")
