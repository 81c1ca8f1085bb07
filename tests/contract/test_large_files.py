"""Large files through bridge and plugin, in memory that does not grow with them.

2 GiB by the hook and by an upload, less by what goes the same way; or as many MiB by all of them as the
environment variable MATTERMOST_PLUGIN_LARGE_FILE_MIB says.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PLUGIN = Path(__file__).parent / "plugins" / "large_files.py"
PLUGIN_ID = "test.large-files"

logger = logging.getLogger(__name__)

MiB = 1 << 20
GIVEN = os.environ.get("MATTERMOST_PLUGIN_LARGE_FILE_MIB", "")
SIZE = int(GIVEN or "2048") * MiB
SMALLER = int(GIVEN or "256") * MiB

# For bridge and plugin process together.
ALLOWED_GROWTH = 64 * MiB

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="what memory a process takes is read from /proc"),
    # Two transfers of the file; a busy machine moves 20 MB in a second.
    pytest.mark.timeout(120 + 2 * SIZE / 20e6),
]


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("programs")
    for package in ("./cmd/bridge", "./internal/contracttest/largefiles"):
        command = ["go", "build", "-o", str(directory / Path(package).name), package]
        subprocess.run(command, cwd=ROOT / "go", check=True)
    return directory


def moved(programs: Path, directory: Path, kind: str, size: int, *ways: str) -> dict[str, Any]:
    """Move a file in each of the ways; return by how much which process grew."""
    bundle = directory / "plugins" / PLUGIN_ID
    (bundle / "server").mkdir(parents=True)
    shutil.copy(programs / "bridge", bundle / "server")
    code = PLUGIN.read_text().replace("ASYNCHRONOUS = False", f"ASYNCHRONOUS = {kind == 'async'}")
    (bundle / "server" / "plugin.py").write_text(code)
    manifest = {
        "id": PLUGIN_ID,
        "name": "Large files",
        "version": "1.0.0",
        "server": {"executable": "server/bridge", "runtime": "python3", "entrypoint": "server/plugin.py"},
        # The plugin moves files in ExecuteCommand.
        "props": {"mattermost_plugin": {"hook_timeout": 0}},
    }
    (bundle / "plugin.json").write_text(json.dumps(manifest))
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    command = [programs / "largefiles", "-plugins", directory / "plugins", "-id", PLUGIN_ID]
    done = subprocess.run(
        [*command, "-size", str(size), "-ways", ",".join(ways)],
        env=os.environ | {"PATH": path, "PYTHONPATH": str(ROOT / "src")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    assert set(report) == set(ways)
    for way, outcome in report.items():
        speed = size / 1e6 / outcome["seconds"]
        logger.info("%s %s: %.0f MB/s, grew by %s", kind, way, speed, outcome["growth"])
        assert outcome["whole"], f"{way}:\n{done.stderr}"
    return {way: outcome["growth"] for way, outcome in report.items()}


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_large_file_comes_through_in_constant_memory(programs: Path, tmp_path: Path, kind: str) -> None:
    for way, growth in moved(programs, tmp_path, kind, SIZE, "FileWillBeUploaded", "UploadData").items():
        assert sum(growth.values()) <= ALLOWED_GROWTH, (way, growth)


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_whatever_the_server_reads_comes_in_constant_memory(
    programs: Path, tmp_path: Path, kind: str
) -> None:
    ways = ("InstallPlugin", "ReceiveSharedChannelAttachmentSyncMsg")
    for way, growth in moved(programs, tmp_path, kind, SMALLER, *ways).items():
        assert sum(growth.values()) <= ALLOWED_GROWTH, (way, growth)


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_file_that_mattermost_moves_in_one_piece_does_not_grow_the_plugin(
    programs: Path, tmp_path: Path, kind: str
) -> None:
    # They are []byte in plugin.API, so that the bridge has to hold them.
    ways = ("GetFile", "ReadFile", "UploadFile")
    for way, growth in moved(programs, tmp_path, kind, SMALLER, *ways).items():
        assert growth["plugin"] <= ALLOWED_GROWTH, (way, growth)


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_bytes_that_are_no_file_may_be_many(programs: Path, tmp_path: Path, kind: str) -> None:
    moved(programs, tmp_path, kind, 64 * MiB, "KVSet", "KVGet", "GenerateSupportData")
