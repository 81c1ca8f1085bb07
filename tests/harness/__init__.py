"""A real Mattermost server for tests: built, started, spoken to and taken down again."""

from __future__ import annotations

from tests.harness.bench import TestBench
from tests.harness.browser import BrowserError, BrowserProgram, find_browser
from tests.harness.build import BuildError, ServerProgram, build_server
from tests.harness.log import LogRecord, LogTimeoutError, ServerLog
from tests.harness.plugins import InstalledPlugin, PluginStartError, PluginState
from tests.harness.progress import Progress
from tests.harness.rest import Json, RestClient, RestError
from tests.harness.server import LeftoverProcessesError, MattermostServer, ServerStartError

__all__ = [
    "BrowserError",
    "BrowserProgram",
    "BuildError",
    "InstalledPlugin",
    "Json",
    "LeftoverProcessesError",
    "LogRecord",
    "LogTimeoutError",
    "MattermostServer",
    "PluginStartError",
    "PluginState",
    "Progress",
    "RestClient",
    "RestError",
    "ServerLog",
    "ServerProgram",
    "ServerStartError",
    "TestBench",
    "build_server",
    "find_browser",
]
