"""h2spec's generic, HTTP/2 and HPACK suites against both drivers' servers."""

from __future__ import annotations

import subprocess

import pytest

from tests.conformance import peers


@pytest.mark.parametrize("driver", ["aio", "uvloop", "threads"])
def test_server_passes_all_suites_of_h2spec(driver: str) -> None:
    # h2spec acknowledges SETTINGS_HEADER_TABLE_SIZE and then uses a table of 4096 octets whatever it says, so
    # it is given one; with the default of none, it is right to refuse what it sends.
    with peers.running(peers.python_server(driver, "127.0.0.1:0", header_table_size=4096)) as address:
        host, _, port = address.rpartition(":")
        command = [peers.h2spec(), "-h", host, "-p", port, "-o", "5", "generic", "http2", "hpack"]
        result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    summary = result.stdout.strip().splitlines()[-1]
    assert summary.endswith("145 passed, 0 skipped, 0 failed"), result.stdout
    assert result.returncode == 0
