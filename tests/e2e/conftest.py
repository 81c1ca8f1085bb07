"""One real server for all end-to-end tests of a session; plugins run per test."""

from __future__ import annotations

import itertools
import signal
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest

from mattermost_plugin.cli import build_bundle
from tests.e2e.witness import InstalledWitness
from tests.harness import InstalledPlugin, TestBench

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.harness import Json, MattermostServer, RestClient

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = Path(__file__).parent / "plugins"

_numbers = itertools.count(1)


def pytest_configure() -> None:
    # A run that is cancelled from outside ends as with Ctrl-C: fixtures are torn down.
    signal.signal(signal.SIGTERM, signal.default_int_handler)


class BuildBundle(Protocol):
    """Builds the plugin in a folder, once in a session."""

    def __call__(self, directory: Path) -> Path: ...


@pytest.fixture(scope="session")
def bench(pytestconfig: pytest.Config) -> Iterator[TestBench]:
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    with ExitStack() as visible:
        if capture is not None:
            # The first run builds the server for minutes; whoever waits should see it.
            visible.enter_context(capture.global_and_fixture_disabled())
        bench = TestBench()
    with bench:
        yield bench


@pytest.fixture(scope="session")
def server(bench: TestBench) -> MattermostServer:
    return bench.start_server()


@pytest.fixture(scope="session")
def team(server: MattermostServer) -> Json:
    return server.create_team("team")


@pytest.fixture(scope="session")
def alice(server: MattermostServer, team: Json) -> RestClient:
    return server.create_user("alice", team=team)


@pytest.fixture(scope="session")
def bob(server: MattermostServer, team: Json) -> RestClient:
    return server.create_user("bob", team=team)


@pytest.fixture
def channel(server: MattermostServer, team: Json, alice: RestClient, bob: RestClient) -> Json:
    """A channel of the test's own, with Alice and Bob in it."""
    return server.create_channel(team, f"channel-{next(_numbers)}", alice, bob)


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> BuildBundle:
    """Build bundles, each once in a session."""
    built: dict[Path, Path] = {}

    def build(directory: Path) -> Path:
        if directory not in built:
            built[directory] = build_bundle(directory, output=tmp_path_factory.mktemp("bundles"))
        return built[directory]

    return build


@pytest.fixture
def install(server: MattermostServer) -> Iterator[Callable[[Path], InstalledPlugin]]:
    """Install bundles; they are removed when the test is over."""
    with ExitStack() as installed:
        yield lambda path: installed.enter_context(InstalledPlugin(server, path))


@pytest.fixture(scope="session")
def uploaded_witness(server: MattermostServer, bundle: BuildBundle) -> InstalledWitness:
    return InstalledWitness(server, bundle(PLUGINS / "witness"))


@pytest.fixture
def witness(uploaded_witness: InstalledWitness) -> Iterator[InstalledWitness]:
    """The plugin `witness`, running, with the settings of its manifest."""
    with running(uploaded_witness):
        yield uploaded_witness


@contextmanager
def running(plugin: InstalledPlugin) -> Iterator[None]:
    """Enable a plugin for a while; to upload it anew each time would take longer than most tests."""
    plugin.enable()
    try:
        yield
    finally:
        plugin.disable()
        plugin.forget_configuration()
