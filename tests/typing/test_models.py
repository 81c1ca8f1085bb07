"""Strict mypy and pyright see models as what they are."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

SAMPLES = Path(__file__).parent / "models"
ROOT = Path(__file__).parents[2]


def mypy(name: str) -> list[tuple[int, str]]:
    """Return line and code of every error that mypy finds."""
    command = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), "--strict"]
    options = ["--hide-error-context", "--no-error-summary", "--no-pretty", str(SAMPLES / name)]
    done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=110, check=False)
    assert done.stderr == ""
    found = [re.search(r":(\d+): error: .*\[([\w-]+)\]$", line) for line in done.stdout.splitlines()]
    return [(int(match[1]), match[2]) for match in found if match]


def marks(name: str) -> list[tuple[int, str]]:
    """Return the errors that a sample's comments announce."""
    lines = (Path(__file__).parent / name).read_text(encoding="utf-8").splitlines()
    found = [(number, re.search(r"  # ([a-z-]+)$", line)) for number, line in enumerate(lines, 1)]
    return [(number, mark[1]) for number, mark in found if mark]


def test_mypy_accepts_what_is_right() -> None:
    assert mypy("accepted.py") == []


def test_mypy_finds_every_mistake_where_it_is() -> None:
    assert len(marks("models/refused.py")) == 10
    assert mypy("refused.py") == marks("models/refused.py")


PYRIGHT = shutil.which("basedpyright", path=sysconfig.get_path("scripts"))


@pytest.mark.skipif(PYRIGHT is None, reason="pyright is not installed (requirements/dev.txt has it)")
@pytest.mark.parametrize("name", ["models/accepted.py", "models/refused.py", "plugins/accepted.py"])
def test_pyright_agrees(tmp_path: Path, name: str) -> None:
    sample = Path(__file__).parent / name
    configuration = tmp_path / "pyrightconfig.json"
    configuration.write_text(
        json.dumps(
            {
                "typeCheckingMode": "strict",
                "pythonVersion": "3.10",
                "extraPaths": [str(ROOT / "src")],
                "include": [str(sample)],
                "reportUnusedExpression": False,
                "reportUnknownVariableType": False,
                "reportUnknownArgumentType": False,
                "reportUnknownMemberType": False,
                "reportUnusedCallResult": False,
            }
        ),
        encoding="utf-8",
    )
    command = [str(PYRIGHT), "--project", str(configuration), "--pythonpath", sys.executable, "--outputjson"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    report = json.loads(done.stdout)
    assert report["summary"]["filesAnalyzed"] == 1
    found = {item["range"]["start"]["line"] + 1 for item in report["generalDiagnostics"]}
    # What dataclasses.replace is given, only mypy checks.
    lines = ["", *sample.read_text(encoding="utf-8").splitlines()]
    announced = {number for number, _ in marks(name) if "dataclasses.replace" not in lines[number]}
    assert found == announced, report["generalDiagnostics"]
