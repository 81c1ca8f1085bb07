"""All hooks and all API methods, through the bridge, in Mattermost's own plugin.Environment."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mattermost_plugin._gen.api_methods import API
from mattermost_plugin._gen.hook_methods import HOOKS

if TYPE_CHECKING:
    from mattermost_plugin._codec.methods import Method

ROOT = Path(__file__).parents[2]
PLUGIN = Path(__file__).parent / "plugins" / "every_method.py"
PLUGIN_ID = "test.every-method"

Report = dict[str, dict[str, list[str]]]


def available(methods: dict[str, Method], *but: str) -> list[str]:
    return [
        method.go_name for method in methods.values() if not method.unavailable and method.go_name not in but
    ]


HOOK_NAMES = available(HOOKS, "OnActivate", "OnDeactivate")
API_NAMES = available(API)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """What differed, by method and outcome, as the Go side found it."""
    directory = tmp_path_factory.mktemp("every-method")
    bundle = directory / "plugins" / PLUGIN_ID
    (bundle / "server").mkdir(parents=True)
    notes = directory / "notes"
    notes.mkdir()
    go_build("./cmd/bridge", bundle / "server" / "bridge")
    go_build("./internal/contracttest/environment", directory / "environment")
    shutil.copy(PLUGIN, bundle / "server")
    server = {
        "executable": "server/bridge",
        "runtime": "python3",
        "entrypoint": "server/every_method.py",
    }
    manifest = {"id": PLUGIN_ID, "name": "Every method", "version": "1.0.0", "server": server}
    (bundle / "plugin.json").write_text(json.dumps(manifest))
    done = subprocess.run(
        [directory / "environment", "-plugins", directory / "plugins", "-id", PLUGIN_ID, "-notes", notes],
        env=os.environ
        | {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")]),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    found: Report = json.loads(done.stdout)
    return found


def go_build(package: str, target: Path) -> None:
    subprocess.run(["go", "build", "-o", str(target), package], cwd=ROOT / "go", check=True)


@pytest.mark.parametrize("outcome", ["value", "error"])
@pytest.mark.parametrize("method", API_NAMES)
def test_api_method_carries_its_arguments_and_results(report: Report, method: str, outcome: str) -> None:
    assert differences(report["api"], method, outcome) == []


@pytest.mark.parametrize("outcome", ["value", "none", "reject", "error"])
@pytest.mark.parametrize("method", HOOK_NAMES)
def test_hook_carries_its_arguments_and_results(report: Report, method: str, outcome: str) -> None:
    assert differences(report["hooks"], method, outcome) == []


def test_no_method_beside_those_was_examined(report: Report) -> None:
    assert {key.partition("/")[0] for key in report["api"]} == set(API_NAMES)
    assert {key.partition("/")[0] for key in report["hooks"]} == set(HOOK_NAMES)


def differences(found: dict[str, list[str]], method: str, outcome: str) -> Any:
    return found.get(f"{method}/{outcome}", "not called")
