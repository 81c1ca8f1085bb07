"""What plugins leave open in the server's database is released, however they end."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import pytest

from tests.e2e.conftest import PLUGINS, running
from tests.harness import InstalledPlugin, PluginStartError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.e2e.conftest import BuildBundle
    from tests.harness import MattermostServer, TestBench

pytestmark = pytest.mark.e2e

PATIENCE = 30.0
EVERYTHING = ("transaction", "rows", "lock", "sleep", "idle")


@pytest.fixture(scope="module")
def uploaded(server: MattermostServer, bundle: BuildBundle) -> InstalledPlugin:
    return InstalledPlugin(server, bundle(PLUGINS / "sql"))


class Database:
    """The server's database, looked at from outside."""

    def __init__(self, bench: TestBench, server: MattermostServer) -> None:
        self._ask = lambda statement: bench.query(server, statement)
        self._ask("DROP TABLE IF EXISTS sql_counter; CREATE TABLE sql_counter AS SELECT 0 AS n")

    def count(self, condition: str) -> int:
        """Return how many connections of the server are as a condition says."""
        where = "datname = current_database() AND pid <> pg_backend_pid()"
        return int(self._ask(f"SELECT count(*) FROM pg_stat_activity WHERE {where} AND {condition}")[0][0])

    @property
    def held(self) -> int:
        """How many connections bear the plugin's mark, which giving back removes."""
        return self.count("application_name = 'sql_witness'")

    @property
    def all(self) -> int:
        return self.count("true")

    def wait_until_released(self) -> None:
        """Wait until the plugin has nothing any more; what it changed is undone and unlocked."""
        deadline = time.monotonic() + PATIENCE
        while self.held:
            assert time.monotonic() < deadline, self._ask("SELECT * FROM pg_stat_activity")
            time.sleep(0.02)
        assert self.count("state LIKE 'idle in transaction%'") == 0
        assert self.count("query LIKE '%pg_sleep(600)%' AND state = 'active'") == 0
        assert self._ask("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [["0"]]
        assert self._ask("SELECT n FROM sql_counter FOR UPDATE NOWAIT") == [["0"]]


@pytest.fixture
def database(bench: TestBench, server: MattermostServer) -> Database:
    return Database(bench, server)


@pytest.fixture
def plugin(uploaded: InstalledPlugin) -> Iterator[InstalledPlugin]:
    with running(uploaded):
        yield uploaded


@pytest.fixture
def ask(server: MattermostServer, plugin: InstalledPlugin) -> Callable[..., Any]:
    def ask(path: str, **asked: Any) -> Any:
        url = f"{server.url}/plugins/{plugin.id}/{path}"
        response = httpx.post(url, json=asked, timeout=100, trust_env=False)
        assert response.is_success, [str(record) for record in plugin.log(level="error")]
        return response.json()

    return ask


def python(plugin: InstalledPlugin) -> psutil.Process:
    [process] = [process for process in plugin.processes() if Path(process.exe()).name.startswith("python")]
    return process


def hold_everything(ask: Callable[..., Any], database: Database) -> None:
    for what in EVERYTHING:
        ask(f"hold/{what}")
    deadline = time.monotonic() + PATIENCE
    while database.count("query LIKE '%pg_sleep(600)%' AND state = 'active'") == 0:
        assert time.monotonic() < deadline
    assert database.held == len(EVERYTHING)
    assert database.count("state = 'idle in transaction'") >= 1


@pytest.mark.timeout(300)
def test_a_crash_releases_everything_and_the_next_process_works(
    server: MattermostServer, plugin: InstalledPlugin, ask: Callable[..., Any], database: Database
) -> None:
    counts = []
    for _ in range(3):
        hold_everything(ask, database)
        mark = server.log.mark()
        before = python(plugin)

        before.kill()

        database.wait_until_released()
        plugin.wait_for_log("The plugin process was restarted", since=mark)
        assert python(plugin).pid != before.pid
        assert ask("run", statements=[["SELECT n FROM sql_counter"]])["answers"][0]["rows"] == [[0]]
        counts.append(database.all)
    # What was given back is used again.
    assert counts[2] <= counts[0] + 1


def test_disabling_releases_everything(
    plugin: InstalledPlugin, ask: Callable[..., Any], database: Database
) -> None:
    hold_everything(ask, database)

    plugin.disable()

    database.wait_until_released()


def test_a_plugin_that_fails_to_start_releases_everything(
    uploaded: InstalledPlugin, database: Database
) -> None:
    uploaded.configure(fail=True)
    try:
        with pytest.raises(PluginStartError, match="as the settings say"):
            uploaded.enable()
        database.wait_until_released()
    finally:
        uploaded.disable()
        uploaded.forget_configuration()


def test_a_connection_that_the_database_ended_is_replaced(
    bench: TestBench, server: MattermostServer, ask: Callable[..., Any], database: Database
) -> None:
    assert ask("engine", statement="SELECT n FROM sql_counter")["rows"] == [[0]]  # it stays in the pool
    terminate = "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity WHERE state = 'idle' "
    bench.query(server, terminate + "AND datname = current_database()")

    # Who notices is told; then SQLAlchemy has a new one, although the server's pool is full of dead ones.
    answers = [ask("engine", statement="SELECT n FROM sql_counter") for _ in range(3)]
    assert (answers[0]["kind"], answers[0]["original"]["sqlstate"]) == ("OperationalError", "08006")
    assert answers[1:] == [{"rows": [[0]]}] * 2
