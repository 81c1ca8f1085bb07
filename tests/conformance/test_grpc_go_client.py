"""grpc-go as the client of both drivers' servers."""

from __future__ import annotations

import subprocess

import pytest

from tests.conformance import peers

INTEROP_CASES = [
    "empty_unary",
    "large_unary",
    "client_streaming",
    "server_streaming",
    "ping_pong",
    "empty_stream",
    "timeout_on_sleeping_server",
    "cancel_after_begin",
    "cancel_after_first_response",
    "status_code_and_message",
    "special_status_message",
    "custom_metadata",
    "unimplemented_method",
    "unimplemented_service",
]
OCTET_CASES = [
    "echo",
    "gzip",
    "parallel",
    "metadata",
    "details",
    "deadline",
    "cancel",
    "streaming",
    "crash",
    "large",
]


def _run(mode: str, target: str, case: str) -> None:
    command = [peers.peer(), mode, target, case]
    result = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout == f"ok {case}\n"


@pytest.mark.parametrize("case", INTEROP_CASES)
@pytest.mark.parametrize("driver", ["aio", "uvloop", "threads"])
def test_interop_case_of_grpc_go_passes(driver: str, case: str, servers: dict[str, str]) -> None:
    _run("interop", servers[driver], case)


@pytest.mark.parametrize("case", OCTET_CASES)
@pytest.mark.parametrize("driver", ["aio", "uvloop", "threads"])
def test_grpc_go_gets_what_it_expects(driver: str, case: str, servers: dict[str, str]) -> None:
    _run("octets", servers[driver], case)
