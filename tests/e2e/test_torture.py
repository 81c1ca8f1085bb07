"""The short form of `python -m tests.torture`: a few faults of each kind that is over in seconds."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.torture.run import run
from tests.torture.scene import Scene

if TYPE_CHECKING:
    from tests.harness import TestBench

FAULTS = (
    *("kill", "kill"),
    *("kill twice", "kill twice"),
    *("kill in the start", "kill in the start"),
    *("disable and enable", "kill in the end"),
    *("restart PostgreSQL", "kill in a storm"),
)


@pytest.mark.e2e
@pytest.mark.timeout(900)
def test_faults_under_load_lose_and_confuse_nothing(
    bench: TestBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A short path: the bridge makes sockets in it.
    with tempfile.TemporaryDirectory(prefix="torture-") as folder, monkeypatch.context() as changed:
        # A server of its own, so that restarts disturb nobody, with a folder in which leftovers are seen.
        changed.setenv("TMPDIR", folder)
        with bench.start_server() as server, Scene(bench, server, tmp_path, seed=7) as scene:
            account = run(scene, FAULTS, Path(folder))
    assert not account.failures(), account.table()
    assert all(delivery.delivered for delivery in account.deliveries.values())
