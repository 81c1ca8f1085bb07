"""Whether this machine can compile the core, as the Makefile asks it."""

from __future__ import annotations

import shutil
import sysconfig
from pathlib import Path

__all__ = ["CAN_COMPILE"]

CAN_COMPILE = shutil.which("cc") is not None and Path(sysconfig.get_path("include"), "Python.h").exists()
