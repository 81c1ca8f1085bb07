"""Plugins that serve HTTP, running for all tests of a module."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest

from tests.e2e.conftest import PLUGINS
from tests.harness import InstalledPlugin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.e2e.conftest import BuildBundle
    from tests.harness import MattermostServer, RestClient

Site = httpx.Client
"""A client whose paths are below a plugin's."""


@pytest.fixture(scope="module")
def run_plugin(server: MattermostServer, bundle: BuildBundle) -> Iterator[Callable[[str], InstalledPlugin]]:
    """Install and enable one of the plugins, until the module's end."""
    with ExitStack() as installed:

        def run(name: str) -> InstalledPlugin:
            plugin = installed.enter_context(InstalledPlugin(server, bundle(PLUGINS / name)))
            plugin.enable()
            return plugin

        yield run


@pytest.fixture(scope="module")
def asgi_plugin(run_plugin: Callable[[str], InstalledPlugin]) -> InstalledPlugin:
    return run_plugin("http_asgi")


@pytest.fixture(scope="module")
def flask_plugin(run_plugin: Callable[[str], InstalledPlugin]) -> InstalledPlugin:
    return run_plugin("http_flask")


@pytest.fixture(scope="module")
def asking_plugin(run_plugin: Callable[[str], InstalledPlugin]) -> InstalledPlugin:
    return run_plugin("http_asking")


@pytest.fixture(scope="module")
def router_plugin(run_plugin: Callable[[str], InstalledPlugin]) -> InstalledPlugin:
    return run_plugin("http_router")


@pytest.fixture(scope="session")
def site_of(server: MattermostServer, alice: RestClient) -> Iterator[Callable[[InstalledPlugin], Site]]:
    """Make a client of Alice's for a plugin."""
    with ExitStack() as clients:

        def make(plugin: InstalledPlugin) -> Site:
            return clients.enter_context(
                httpx.Client(
                    base_url=f"{server.url}/plugins/{plugin.id}",
                    headers={"Authorization": f"Bearer {alice.token}"},
                    timeout=60,
                    trust_env=False,
                )
            )

        yield make


@pytest.fixture
def site(asgi_plugin: InstalledPlugin, site_of: Callable[[InstalledPlugin], Site]) -> Site:
    """The ASGI application."""
    return site_of(asgi_plugin)


@pytest.fixture(scope="session")
def python_of() -> Callable[[InstalledPlugin], psutil.Process]:
    """Find the plugin's Python process."""

    def find(plugin: InstalledPlugin) -> psutil.Process:
        [process] = [found for found in plugin.processes() if Path(found.exe()).name.startswith("python")]
        return process

    return find
