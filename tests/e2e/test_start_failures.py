"""A plugin that cannot start: one clear line in the server's log, and in the plugin's status."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.conftest import ROOT
from tests.e2e.tampering import tampered
from tests.harness import InstalledPlugin, PluginStartError, PluginState

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.conftest import BuildBundle
    from tests.harness import LogRecord

pytestmark = pytest.mark.e2e

HELLO = ROOT / "examples" / "hello"
SCRIPT = "server/plugin.py"


def _fails_to_start(plugin: InstalledPlugin) -> str:
    """Enable the plugin and return the error in its status."""
    with pytest.raises(PluginStartError):
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
    path = tampered(
        bundle(HELLO),
        tmp_path / "bundle.tar.gz",
        # Before that of the SDK, which means before the SDK can do anything about it.
        scripts={SCRIPT: lambda text: text.replace("import logging", "import a_module_that_is_not_there")},
    )
    plugin = install(path)

    error = _fails_to_start(plugin)

    assert "ModuleNotFoundError: No module named 'a_module_that_is_not_there'" in error
    assert _errors(plugin, "a_module_that_is_not_there")
    everything = "\n".join(f"{record.message} {record.fields}" for record in plugin.log())
    assert "Traceback (most recent call last)" in everything
    assert "plugin.py" in everything


def test_an_error_in_the_script_after_the_import_of_the_sdk(
    bundle: BuildBundle, install: Callable[[Path], InstalledPlugin], tmp_path: Path
) -> None:
    path = tampered(
        bundle(HELLO),
        tmp_path / "bundle.tar.gz",
        scripts={SCRIPT: lambda text: text.replace("log = ", "1 / 0\nlog = ")},
    )
    plugin = install(path)

    error = _fails_to_start(plugin)

    assert "ZeroDivisionError: division by zero" in error
    everything = "\n".join(f"{record.message} {record.fields}" for record in plugin.log())
    assert "1 / 0" in everything


def test_on_activate_raises(
    bundle: BuildBundle, install: Callable[[Path], InstalledPlugin], tmp_path: Path
) -> None:
    path = tampered(
        bundle(HELLO),
        tmp_path / "bundle.tar.gz",
        scripts={
            SCRIPT: lambda text: text.replace(
                "log.info(", 'raise ValueError("no licence")\n        log.info('
            )
        },
    )
    plugin = install(path)

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
        bundle(HELLO),
        tmp_path / "bundle.tar.gz",
        scripts={SCRIPT: lambda text: text.replace("hello", "goodbye")},
        checksums=False,
    )
    plugin = install(path)

    error = _fails_to_start(plugin)

    assert SCRIPT in error
    assert _errors(plugin, SCRIPT)
