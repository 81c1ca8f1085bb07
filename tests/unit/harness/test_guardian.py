from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[3]

HARNESS = """
    import pathlib, subprocess, sys
    from tests.harness.guardian import Guardian

    guardian = Guardian()
    child = subprocess.Popen(
        [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"],
        stdout=subprocess.PIPE, start_new_session=True,
    )
    child.stdout.readline()
    guardian.watch_group(child.pid)
    watched, kept = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    guardian.watch_directory(watched)
    guardian.watch_directory(kept)
    guardian.release_directory(kept)
    print(child.pid, flush=True)
    sys.stdin.read()
    guardian.release_group(child.pid)
    guardian.release_directory(watched)
    guardian.close()
"""


def _start(watched: Path, kept: Path) -> tuple[subprocess.Popen[str], psutil.Process]:
    watched.mkdir()
    (watched / "file").touch()
    kept.mkdir()
    harness = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(HARNESS), str(watched), str(kept)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert harness.stdout is not None
    return harness, psutil.Process(int(harness.stdout.readline()))


def test_what_a_killed_harness_started_is_ended_and_removed(tmp_path: Path) -> None:
    watched, kept = tmp_path / "watched", tmp_path / "kept"
    with _start(watched, kept)[0] as harness:
        [guardian, child] = sorted(
            psutil.Process(harness.pid).children(),
            key=lambda process: "guardian" not in str(process.cmdline()),
        )
        harness.kill()

    _, alive = psutil.wait_procs([guardian, child], timeout=60)
    assert alive == []
    assert not watched.exists()
    assert kept.exists()


def test_what_was_released_is_left_alone(tmp_path: Path) -> None:
    watched, kept = tmp_path / "watched", tmp_path / "kept"
    harness, child = _start(watched, kept)
    with harness:
        assert harness.stdin is not None
        harness.stdin.close()
        assert harness.wait(60) == 0

    assert child.is_running()
    assert watched.exists()
    child.kill()
