"""Canonical layout of generated Python, by the ruff of the development environment."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from codegen.python_text import WIDTH

if TYPE_CHECKING:
    from collections.abc import Mapping


def format_python(files: Mapping[str, str]) -> dict[str, str]:
    """Sort the imports of modules (path -> text), drop those unused, and lay the modules out.

    Raises:
        RuntimeError: ruff is missing or refuses a module.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for path, text in files.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        layout = ["--line-length", str(WIDTH), "--target-version", "py310"]
        first_party = 'lint.isort.known-first-party = ["mattermost_plugin"]'
        _ruff(["check", "--fix-only", "--select", "I001,F401,TC005", *layout, "--config", first_party], root)
        _ruff(["format", *layout], root)
        return {path: (root / path).read_text(encoding="utf-8") for path in files}


def _ruff(arguments: list[str], root: Path) -> None:
    ruff = shutil.which("ruff", path=sysconfig.get_path("scripts")) or shutil.which("ruff")
    if ruff is None:
        raise RuntimeError(f"ruff is not installed for {sys.executable}: install requirements/dev.txt")
    command = [ruff, *arguments, "--isolated", "--no-cache", str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"ruff {arguments[0]} failed: {done.stderr.strip() or done.stdout.strip()}")
