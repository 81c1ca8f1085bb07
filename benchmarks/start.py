"""What a plugin costs before it does anything: import, start, memory."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time

import psutil

from benchmarks.workshop import ROOT
from mattermost_plugin._runtime.environment import COOKIE_KEY, COOKIE_VALUE, PROTOCOL_VERSION

__all__ = ["HELLO", "measure_import", "measure_start"]

HELLO = [sys.executable, str(ROOT / "examples" / "hello" / "plugin.py")]

# go-plugin's cookie: the handshake of every Mattermost plugin.
COOKIE = {COOKIE_KEY: COOKIE_VALUE, "PLUGIN_PROTOCOL_VERSIONS": str(PROTOCOL_VERSION)}


def measure_import(environment: dict[str, str]) -> float:
    """Return the milliseconds that `import mattermost_plugin` takes in a fresh interpreter."""
    code = (
        "import time; start = time.perf_counter(); import mattermost_plugin;"
        "mattermost_plugin.Plugin; print((time.perf_counter() - start) * 1000)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    return float(done.stdout)


def measure_start(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Start a plugin as a host does.

    Args:
        command: The plugin's program.
        environment: Its environment, without what the host adds.

    Returns:
        Milliseconds from exec to the handshake line (the plugin is serving then), and resident MiB after it.
    """
    with tempfile.TemporaryDirectory(prefix="bench") as sockets:
        start = time.perf_counter()
        process = subprocess.Popen(
            command,
            env=environment | COOKIE | {"PLUGIN_UNIX_SOCKET_DIR": sockets},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            took = (time.perf_counter() - start) * 1000
            if not re.match(r"1\|1\|unix\|", line):
                raise RuntimeError(f"{command[-1]} did not shake hands but said {line!r}")
            resident = psutil.Process(process.pid).memory_info().rss / (1 << 20)
        finally:
            process.terminate()
            process.communicate(timeout=30)
    return took, resident
