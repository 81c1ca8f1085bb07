"""A large file through bridge and plugin, in memory that does not grow with it.

512 MiB, or as many MiB as the environment variable MATTERMOST_PLUGIN_LARGE_FILE_MIB says.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLUGIN = Path(__file__).parent / "plugins" / "large_files.py"
PLUGIN_ID = "test.large-files"

logger = logging.getLogger(__name__)

MiB = 1 << 20
SIZE = int(os.environ.get("MATTERMOST_PLUGIN_LARGE_FILE_MIB", "512")) * MiB

# For bridge and plugin process together.
ALLOWED_GROWTH = 64 * MiB

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="what memory a process takes is read from /proc"),
    # Two transfers of the file; a busy machine moves 40 MB in a second.
    pytest.mark.timeout(120 + 2 * SIZE / 40e6),
]


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("programs")
    for package in ("./cmd/bridge", "./internal/contracttest/largefiles"):
        command = ["go", "build", "-o", str(directory / Path(package).name), package]
        subprocess.run(command, cwd=ROOT / "go", check=True)
    return directory


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_large_file_comes_through_in_constant_memory(programs: Path, tmp_path: Path, kind: str) -> None:
    bundle = tmp_path / "plugins" / PLUGIN_ID
    (bundle / "server").mkdir(parents=True)
    shutil.copy(programs / "bridge", bundle / "server")
    code = PLUGIN.read_text().replace("ASYNCHRONOUS = False", f"ASYNCHRONOUS = {kind == 'async'}")
    (bundle / "server" / "plugin.py").write_text(code)
    server = {"executable": "server/bridge", "runtime": "python3", "entrypoint": "server/plugin.py"}
    manifest = {"id": PLUGIN_ID, "name": "Large files", "version": "1.0.0", "server": server}
    (bundle / "plugin.json").write_text(json.dumps(manifest))
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        [programs / "largefiles", "-plugins", tmp_path / "plugins", "-id", PLUGIN_ID, "-size", str(SIZE)],
        env=os.environ | {"PATH": path, "PYTHONPATH": str(ROOT / "src")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert set(report) == {"hook", "upload"}
    for way, outcome in report.items():
        logger.info(
            "%s %s: %.0f MB/s, grew by %s", kind, way, SIZE / 1e6 / outcome["seconds"], outcome["growth"]
        )
        assert outcome["whole"], f"{way}:\n{done.stderr}"
        assert sum(outcome["growth"].values()) <= ALLOWED_GROWTH, (way, outcome)
