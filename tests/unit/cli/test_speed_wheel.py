"""The compiled core as a requirement of a plugin."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mattermost_plugin._version import __version__
from mattermost_plugin.cli import main
from tests.compiling import CAN_COMPILE

ROOT = Path(__file__).parents[3]

pytestmark = [
    pytest.mark.timeout(1200),
    pytest.mark.skipif(not CAN_COMPILE, reason="there is no C compiler"),
]


def test_a_bundle_that_requires_the_compiled_core_runs_on_it(
    write_plugin: Callable[..., Path],
    unpack: Callable[[Path], Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wheels = tmp_path / "wheels"
    make = ["make", "--no-print-directory", "wheel-speed", f"DIST={wheels}"]
    subprocess.run(make, cwd=ROOT, check=True)
    (wheel,) = wheels.glob("*.whl")
    assert wheel.name.startswith(f"mattermost_plugin_speed-{__version__}-cp3")

    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    plugin = write_plugin(files={"requirements.txt": "mattermost-plugin-speed\n", "greeting.py": ""})
    assert main(["build", str(plugin)]) == 0
    (archive,) = (plugin / "dist").iterdir()
    bundle = unpack(archive).folder
    sites = [str(path) for path in (bundle / "server/site").iterdir()]
    assert len(sites) == 2
    code = (
        f"import sys; sys.path[:0] = {sites}; import mattermost_plugin._grpc.client as c; print(c.__file__)"
    )
    # Without the site-packages of this environment, and without its variables.
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], check=True, capture_output=True, text=True
    )
    assert Path(done.stdout.strip()).is_relative_to(bundle), done.stdout + done.stderr
    assert Path(done.stdout.strip()).suffix == ".so"
