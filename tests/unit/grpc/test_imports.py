"""What the endpoint loads: it is on the way of every plugin's start."""

from __future__ import annotations

import subprocess
import sys

import pytest

_CODE = """
import sys
sys.modules["typing_extensions"] = None  # a dependency of the tests, not of the package
import {module}
print([name for name in {unwanted!r} if name in sys.modules])
"""


@pytest.mark.parametrize(
    ("module", "unwanted"),
    [
        ("mattermost_plugin._grpc", ["asyncio", "ssl", "threading", "mattermost_plugin._grpc.server"]),
        ("mattermost_plugin._grpc.threads", ["asyncio", "ssl", "dataclasses", "mattermost_plugin._grpc.aio"]),
        ("mattermost_plugin._grpc.aio", ["mattermost_plugin._grpc.threads", "uvloop"]),
    ],
)
def test_a_driver_loads_only_what_it_needs(module: str, unwanted: list[str]) -> None:
    code = _CODE.format(module=module, unwanted=unwanted)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[]\n"
