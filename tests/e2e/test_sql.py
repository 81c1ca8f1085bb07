"""SQL from plugins on a real server: both kinds of plugins, PEP 249 and SQLAlchemy, errors, threads."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.e2e.conftest import PLUGINS, running
from tests.e2e.serving.resources import Resources
from tests.harness import InstalledPlugin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.e2e.conftest import BuildBundle
    from tests.harness import MattermostServer, TestBench

pytestmark = pytest.mark.e2e

Ask = "Callable[..., Any]"


@pytest.fixture(scope="module")
def uploaded(server: MattermostServer, bundle: BuildBundle) -> dict[str, InstalledPlugin]:
    return {name: InstalledPlugin(server, bundle(PLUGINS / name)) for name in ("sql", "sql_async")}


def asking(server: MattermostServer, plugin: InstalledPlugin) -> Ask:
    def ask(path: str, **asked: Any) -> Any:
        url = f"{server.url}/plugins/{plugin.id}/{path}"
        response = httpx.post(url, json=asked, timeout=100, trust_env=False)
        assert response.is_success, response.text
        return response.json() if response.content else None

    return ask


@pytest.fixture
def ask(server: MattermostServer, uploaded: dict[str, InstalledPlugin]) -> Iterator[Ask]:
    with running(uploaded["sql"]):
        yield asking(server, uploaded["sql"])


@pytest.fixture
def ask_async(server: MattermostServer, uploaded: dict[str, InstalledPlugin]) -> Iterator[Ask]:
    with running(uploaded["sql_async"]):
        yield asking(server, uploaded["sql_async"])


@pytest.fixture
def run(ask: Ask) -> Callable[..., list[Any]]:
    """Run statements in one transaction and return what came of each."""

    def run(*statements: Any, **options: Any) -> list[Any]:
        many = [[one] if isinstance(one, str) else one for one in statements]
        answers: list[Any] = ask("run", statements=many, **options)["answers"]
        return answers

    return run


def test_statements_and_parameters_reach_the_servers_database(
    bench: TestBench, server: MattermostServer, run: Callable[..., list[Any]]
) -> None:
    [database] = run("SELECT current_database()")
    assert database["rows"] == [[server.directory.name]]
    answers = run(
        "DROP TABLE IF EXISTS sql_things",
        "CREATE TABLE sql_things (id serial PRIMARY KEY, name text UNIQUE, at timestamptz DEFAULT now())",
        ["INSERT INTO sql_things (name) VALUES (%s), (%s)", ["a", "ü 🍕"]],
        ["INSERT INTO sql_things (name) VALUES (%(name)s) RETURNING id, name", {"name": "100%"}],
        ["UPDATE sql_things SET name = name || %s WHERE id <= %s", ["!", 2]],
        "SELECT name FROM sql_things WHERE at <= now() ORDER BY id",
    )
    assert [answer.get("count") for answer in answers] == [-1, -1, 2, 1, 2, 3]
    assert answers[3]["rows"] == [[3, "100%"]]
    assert answers[5]["rows"] == [["a!"], ["ü 🍕!"], ["100%"]]
    assert bench.query(server, "SELECT name FROM sql_things ORDER BY id") == [["a!"], ["ü 🍕!"], ["100%"]]


def test_errors_say_what_postgresql_says(run: Callable[..., list[Any]]) -> None:
    run(
        "DROP TABLE IF EXISTS sql_keys",
        "CREATE TABLE sql_keys (id int PRIMARY KEY, size int NOT NULL CHECK (size < 10))",
        "INSERT INTO sql_keys VALUES (1, 1)",
    )
    expected = [
        (
            "INSERT INTO sql_keys VALUES (1, 1)",
            "IntegrityError",
            "23505",
            {"constraint": "sql_keys_pkey"},
        ),
        ("INSERT INTO sql_keys VALUES (2, NULL)", "IntegrityError", "23502", {"column": "size"}),
        ("INSERT INTO sql_keys VALUES (2, 11)", "IntegrityError", "23514", {"table": "sql_keys"}),
        ("SELECT nothing FROM sql_keys", "ProgrammingError", "42703", {"position": "8"}),
        ("SELECT * FROM sql_nothing", "ProgrammingError", "42P01", {}),
        ("SELEKT 1", "ProgrammingError", "42601", {"position": "1"}),
        ("SELECT 1 / 0", "DataError", "22012", {}),
        ("SELECT 'x'::int", "DataError", "22P02", {}),
        ("SET LOCAL statement_timeout = 10; SELECT pg_sleep(60)", "OperationalError", "57014", {}),
        (
            "DO $$ BEGIN RAISE 'no' USING HINT = 'ask', ERRCODE = 'MM001'; END $$",
            None,
            "MM001",
            {"hint": "ask"},
        ),
    ]
    for statement, kind, sqlstate, more in expected:
        [answer, *_] = run(statement)
        assert answer["sqlstate"] == sqlstate, answer
        assert kind in (None, answer["error"])
        assert more.items() <= answer.items()
        assert answer["message"]


def test_sqlalchemy_wraps_the_same_errors(ask: Ask) -> None:
    ask("engine", statement="CREATE TABLE IF NOT EXISTS sql_wrapped (id int PRIMARY KEY)")
    ask("engine", statement="INSERT INTO sql_wrapped VALUES (1) ON CONFLICT DO NOTHING")
    answer = ask("engine", statement="INSERT INTO sql_wrapped VALUES (:id)", parameters={"id": 1})
    assert answer["kind"] == "IntegrityError"
    assert (answer["original"]["sqlstate"], answer["original"]["constraint"]) == ("23505", "sql_wrapped_pkey")
    assert ask("engine", statement="SELECT count(*) FROM sql_wrapped")["rows"] == [[1]]


def test_after_an_error_a_transaction_can_only_be_rolled_back(
    bench: TestBench, server: MattermostServer, run: Callable[..., list[Any]]
) -> None:
    run("DROP TABLE IF EXISTS sql_undone", "CREATE TABLE sql_undone (a int)")
    first, error, aborted, commit = run("INSERT INTO sql_undone VALUES (1)", "SELECT 1 / 0", "SELECT 1")
    assert first["count"] == 1
    assert (error["error"], error["sqlstate"]) == ("DataError", "22012")
    assert (aborted["error"], aborted["sqlstate"]) == ("InternalError", "25P02")
    assert (commit["error"], commit["sqlstate"]) == ("InternalError", "25P02")
    assert "rolled back" in commit["message"]
    assert bench.query(server, "SELECT count(*) FROM sql_undone") == [["0"]]

    # With a savepoint it goes on.
    answers = run(
        "INSERT INTO sql_undone VALUES (2)",
        "SAVEPOINT here",
        "SELECT 1 / 0",
        "ROLLBACK TO SAVEPOINT here",
        "INSERT INTO sql_undone VALUES (3)",
    )
    assert ["error" in answer for answer in answers] == [False, False, True, False, False]
    assert bench.query(server, "SELECT a FROM sql_undone ORDER BY a") == [["2"], ["3"]]


@pytest.mark.parametrize(
    ("statement", "parameters", "message"),
    [
        ("SELECT %s", [], "the statement has 1 parameters, but 0 were given"),
        ("SELECT %s", [1, 2], "the statement has 1 parameters, but 2 were given"),
        ("SELECT 1", [1], "the statement has 0 parameters, but 1 were given"),
        ("SELECT %(a)s, %(b)s", {"a": 1}, "there is no parameter for %(b)s"),
        ("SELECT %(a)s", [1], "%(name)s takes its values from a mapping"),
        ("SELECT %d", [1], "only %s, %(name)s and %% may stand"),
        ("SELECT %s", "x", "parameters are a sequence or a mapping, not str"),
        ("SELECT $1", None, "there is no parameter $1"),
        ("SELECT $2", None, "there is no parameter $2"),
    ],
)
def test_a_wrong_number_of_parameters_is_a_clear_error(
    run: Callable[..., list[Any]], statement: str, parameters: Any, message: str
) -> None:
    wrong, after, *_ = run([statement, parameters], "SELECT 2")
    assert wrong["error"] == "ProgrammingError"
    assert message in wrong["message"]
    if "sqlstate" not in wrong:  # PostgreSQL never saw it
        assert after["rows"] == [[2]]


def test_transactions_are_as_isolated_as_they_are_told(run: Callable[..., list[Any]]) -> None:
    for level in ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"):
        assert run("SHOW transaction_isolation", isolation=level)[0]["rows"] == [[level.lower()]]


def test_a_server_without_replicas_answers_from_its_master(run: Callable[..., list[Any]]) -> None:
    """Replicas need a license; see tests/sql for one."""
    assert run("SELECT pg_is_in_recovery()", replica=True)[0]["rows"] == [[False]]


def test_threads_share_an_engine(bench: TestBench, server: MattermostServer, ask: Ask, run: Any) -> None:
    run(
        "DROP TABLE IF EXISTS sql_counter, sql_log",
        "CREATE TABLE sql_counter AS SELECT 0 AS n",
        "CREATE TABLE sql_log (n int)",
    )
    answer = ask("threads", threads=16, times=200)
    assert bench.query(server, "SELECT n FROM sql_counter") == [["200"]]
    assert bench.query(server, "SELECT count(DISTINCT n), max(n) FROM sql_log") == [["200", "200"]]
    assert "Current Checked out connections: 0" in answer["pool"]


@pytest.mark.timeout(300)
def test_a_hundred_thousand_rows_pass_in_constant_memory(
    uploaded: dict[str, InstalledPlugin], ask: Ask
) -> None:
    rows = "SELECT i, repeat('x', 1000), now() FROM generate_series(1, {}) i"
    ask("count", statement=rows.format(5000))  # what is loaded at first use
    with Resources(uploaded["sql"]) as resources:
        assert ask("count", statement=rows.format(100_000)) == {"rows": 100_000}
    assert resources.growth < 32 << 20  # of 100 MB that pass


def test_an_asyncio_plugin_uses_threads(ask_async: Ask) -> None:
    asked = {"statement": "SELECT %(a)s + 1, now() IS NOT NULL", "parameters": {"a": 41}}
    assert ask_async("run", **asked)["rows"] == [[42, True]]
    assert ask_async("many", statement="SELECT 2 * CAST(:number AS int)", times=30)["answers"] == [
        2 * number for number in range(30)
    ]


def test_an_asyncio_plugin_goes_on_while_the_database_keeps_it_waiting(
    bench: TestBench, server: MattermostServer, ask_async: Ask
) -> None:
    ask_async("hold")
    answers: list[Any] = []
    asked = {"statement": "SELECT pg_advisory_xact_lock(815), 1"}
    waiting = threading.Thread(target=lambda: answers.append(ask_async("run", **asked)))
    waiting.start()
    while bench.query(server, "SELECT count(*) FROM pg_locks WHERE NOT granted AND objid = 815") != [["1"]]:
        assert waiting.is_alive()
    # Only the plugin itself can let it go on: were its loop blocked, this would be the end.
    ask_async("release")
    waiting.join()
    assert answers == [{"rows": [["", 1]]}]
