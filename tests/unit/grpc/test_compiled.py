"""The core of the endpoint as compiled modules, and as the sources that they are made from."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import mattermost_plugin
from tests.compiling import CAN_COMPILE

SOURCES = Path(mattermost_plugin.__path__[0])
WHERE = "import mattermost_plugin._grpc.client as c; print(c.__file__)"

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("mattermost_plugin_speed") is None and not CAN_COMPILE,
    reason="there is no C compiler",
)


def python(code: str, **variables: str) -> tuple[str, str]:
    """Run code in a new interpreter; return what it prints and what it warns of."""
    environment = {key: value for key, value in os.environ.items() if key != "MATTERMOST_PLUGIN_PURE"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment | variables, capture_output=True, text=True, check=True)
    return done.stdout.strip(), done.stderr


def test_the_core_is_compiled_where_it_can_be() -> None:
    where, warned = python(WHERE)
    assert Path(where).suffix in {".so", ".pyd"}, "make setup compiles it"
    assert "mattermost_plugin_speed" in where
    assert not warned


def test_the_sources_run_where_the_environment_asks_for_them() -> None:
    where, warned = python(WHERE, MATTERMOST_PLUGIN_PURE="1")
    assert where == str(SOURCES / "_grpc/client.py")
    assert not warned


def test_modules_compiled_from_other_sources_are_not_used(tmp_path: Path) -> None:
    changed = tmp_path / "mattermost_plugin"
    shutil.copytree(SOURCES, changed, ignore=shutil.ignore_patterns("__pycache__"))
    with (changed / "_grpc/client.py").open("a") as source:
        source.write("\nCHANGED = True\n")
    where, warned = python(WHERE.replace("print(", "assert c.CHANGED; print("), PYTHONPATH=str(tmp_path))
    assert where == str(changed / "_grpc/client.py")
    assert "install the same version of both" in warned
