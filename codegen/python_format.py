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
    """Format modules (path -> text) with one run of `ruff format`.

    Raises:
        RuntimeError: ruff is missing or refuses a module.
    """
    ruff = shutil.which("ruff", path=sysconfig.get_path("scripts")) or shutil.which("ruff")
    if ruff is None:
        raise RuntimeError(f"ruff is not installed for {sys.executable}: install requirements/dev.txt")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for path, text in files.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        command = [ruff, "format", "--isolated", "--quiet", "--no-cache"]
        command += ["--line-length", str(WIDTH), "--target-version", "py310", str(root)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"ruff format failed: {done.stderr.strip()}")
        return {path: (root / path).read_text(encoding="utf-8") for path in files}
