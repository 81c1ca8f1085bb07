"""What the measurements were made on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from benchmarks.workshop import go
from mattermost_plugin._grpc import client

__all__ = ["describe"]


def describe() -> dict[str, Any]:
    """Return the machine and the versions of what ran on it."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / (1 << 30)),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "go": go("env", "GOVERSION").removeprefix("go"),
        "core": "sources" if client.__file__.endswith(".py") else "compiled",
        "packages": {
            name: version(name)
            for name in ("protobuf", "uvloop", "uvicorn", "httptools", "starlette", "grpcio")
        },
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
