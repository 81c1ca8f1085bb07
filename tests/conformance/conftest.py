"""Peers for the tests of this folder."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

import pytest

from tests.conformance import peers
from tests.conformance.faces import FACES, Face

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVERS = ["aio", "uvloop", "threads", "grpcio", "grpc-go"]


@pytest.fixture(scope="session")
def servers() -> Iterator[dict[str, str]]:
    """Targets of running servers, by kind, started when they are first asked for."""
    running = _Servers()
    yield running
    running.stop()


class _Servers(dict[str, str]):
    def __init__(self) -> None:
        super().__init__()
        self._directory = tempfile.TemporaryDirectory()
        self._contexts: list[object] = []

    def __missing__(self, kind: str) -> str:
        context = peers.running(peers.server_command(kind, f"unix:{self._directory.name}/{kind}"))
        self[kind] = context.__enter__()
        self._contexts.append(context)
        return self[kind]

    def stop(self) -> None:
        for context in self._contexts:
            context.__exit__(None, None, None)  # type: ignore[attr-defined]
        self._directory.cleanup()


@pytest.fixture
def face(request: pytest.FixtureRequest, servers: dict[str, str]) -> Iterator[Face]:
    """A client of one kind connected to a server of another: parametrized with (client, server)."""
    client, server = request.param
    with FACES[client](servers[server]) as face:
        yield face


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder."""
    for item in items:
        if "conformance" in item.path.parts:
            item.add_marker(pytest.mark.conformance)
