"""What a type checker says to an author, under mypy's strict mode."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PLUGINS = Path(__file__).parent / "plugins"
CONFIGURATION = Path(__file__).parents[2] / "pyproject.toml"


def mypy(name: str) -> list[tuple[int, str]]:
    """Return line and code of every error that mypy finds."""
    command = [sys.executable, "-m", "mypy", "--config-file", str(CONFIGURATION), "--strict"]
    options = ["--hide-error-context", "--no-error-summary", "--no-pretty", str(PLUGINS / name)]
    done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=110, check=False)
    assert done.stderr == ""
    found = [re.search(r":(\d+): error: .*\[([\w-]+)\]$", line) for line in done.stdout.splitlines()]
    errors = [(int(match[1]), match[2]) for match in found if match]
    assert errors or not done.stdout, done.stdout
    return errors


def test_correct_plugins_are_accepted() -> None:
    assert mypy("accepted.py") == []


def test_every_mistake_is_found_where_it_is() -> None:
    lines = (PLUGINS / "refused.py").read_text(encoding="utf-8").splitlines()
    marks = [(number, re.search(r"# ([a-z-]+)$", line)) for number, line in enumerate(lines, 1)]
    assert mypy("refused.py") == [(number, mark[1]) for number, mark in marks if mark]
