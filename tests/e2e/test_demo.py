"""The demonstration plays to its end and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.e2e


def test_the_demonstration_shows_what_the_plugin_does() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "demo", "--once", "--port", "0"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.strip() for line in done.stdout.splitlines()]
    assert "└ not posted: Post rejected by plugin. Please keep it friendly: badword" in lines
    assert "└ not changed: Post rejected by plugin. Please keep it friendly: badword" in lines
    assert "moderator | (to @ben only) Please avoid: badword. This is your warning no. 1." in lines
    assert "└ answer, seen by @ben only: You have 2 warnings." in lines
    assert "└ answer, seen by @admin only: @ben has 2 warnings." in lines
    assert r"└ posted as: It was the \*\*\*\*\*\*." in lines


@pytest.fixture
def short_directory() -> Iterator[Path]:
    """A folder of its own whose path is short enough for sockets in it, unlike `tmp_path`."""
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory)


def test_the_demonstration_ends_cleanly_on_ctrl_c(short_directory: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "demo", "--port", "0"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(short_directory)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as demo:
        assert demo.stdout is not None
        assert demo.stderr is not None
        for line in demo.stdout:
            if "Ctrl-C" in line:
                break
        demo.send_signal(signal.SIGINT)
        rest, errors = demo.stdout.read(), demo.stderr.read()

    assert (demo.returncode, errors) == (0, "")
    assert "Stopped." in rest
    # The wheel that brings PostgreSQL keeps one empty file to lock.
    assert {path.name for path in short_directory.iterdir()} <= {".lockfile"}
