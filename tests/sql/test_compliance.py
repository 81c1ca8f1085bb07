"""SQLAlchemy's own suite for dialects, through the driver, on a real PostgreSQL; see skips.toml."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

from tests.sql.host import ROOT, DatabaseHost

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterator

SUITE = Path(__file__).parent / "compliance"
SKIPS = tomllib.loads((SUITE / "skips.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DatabaseHost]:
    with DatabaseHost(tmp_path_factory.mktemp("database")) as host:
        yield host


@pytest.mark.timeout(400)
def test_the_dialect_passes_the_suite_but_for_what_is_skipped_with_a_reason(
    host: DatabaseHost, tmp_path: Path
) -> None:
    host.run_script("CREATE SCHEMA test_schema; CREATE SCHEMA test_schema_2;")
    report = tmp_path / "report.xml"
    url = f"postgresql+mattermost_plugin:///?socket={host.socket}"
    command = [sys.executable, "-m", "pytest", "-c", "setup.cfg", "-q", "--dburi", url]
    done = subprocess.run(
        [*command, f"--junitxml={report}", "dialect_suite.py"],
        cwd=SUITE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-10000:]
    cases = list(ElementTree.parse(report).iter("testcase"))
    reasons = {skipped.get("message", "") for case in cases for skipped in case.iter("skipped")}
    allowed = {*SKIPS["requirements"].values(), *SKIPS["messages"]}
    unexplained = {reason for reason in reasons if not any(known in reason for known in allowed)}
    assert unexplained == set()
    assert len(cases) - sum(1 for case in cases if case.find("skipped") is not None) > 1700
