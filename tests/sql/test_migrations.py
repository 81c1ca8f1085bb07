"""The migrations of the example `polls`, through the driver, on a real PostgreSQL."""

from __future__ import annotations

import importlib
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from tests.sql.host import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLE = ROOT / "examples" / "polls"
MODULES = [path.stem for path in EXAMPLE.glob("*.py")]

OLD_DATA = """
    INSERT INTO polls_poll (creator_id, channel_id, post_id, question, answers, created_at, ended) VALUES
        ('u1', 'c1', 'p1', 'Open?', '{Yes,No,"It depends, \\"somehow\\""}', '2024-01-01 12:00Z', false),
        ('u2', 'c1', 'p2', 'Over?', '{No,Yes}', '2024-01-02 12:00Z', true),
        ('u3', 'c1', 'p3', 'Nobody?', '{a,b}', '2024-01-03 12:00Z', true);
    INSERT INTO polls_vote VALUES
        (1, 'v1', 'It depends, "somehow"', '2024-01-05 00:00Z'), (1, 'v2', 'Yes', '2024-01-05 00:00Z'),
        (2, 'v1', 'Yes', '2024-01-06 00:00Z'), (2, 'v2', 'Yes', '2024-01-07 00:00Z')
"""


@pytest.fixture(autouse=True)
def without_tables(engine: sa.Engine) -> Iterator[None]:
    yield
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE IF EXISTS polls_vote, polls_choice, polls_poll, polls_version")


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Import modules of the example."""
    monkeypatch.syspath_prepend(str(EXAMPLE))
    for name in MODULES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield importlib.import_module
    for name in MODULES:
        sys.modules.pop(name, None)


def migrate(example: Any, engine: sa.Engine, revision: str) -> None:
    """Go up to a revision that is not the newest, as an earlier version of the plugin did."""
    with engine.begin() as connection:
        example("alembic.command").upgrade(example("schema")._config(connection), revision)


def rows(engine: sa.Engine, query: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def test_the_migrations_make_what_the_classes_say(example: Any, engine: sa.Engine) -> None:
    example("schema").upgrade(engine)

    with engine.connect() as connection:
        context = example("alembic.runtime.migration").MigrationContext.configure(
            connection,
            opts={
                "include_name": lambda name, kind, _: kind != "table" or name.startswith("polls_"),
                "version_table": "polls_version",
                "compare_server_default": True,
            },
        )
        differences = example("alembic.autogenerate").compare_metadata(
            context, example("tables").Base.metadata
        )
    assert differences == []


def test_data_is_taken_along_and_back_again(example: Any, engine: sa.Engine) -> None:
    schema = example("schema")
    migrate(example, engine, "v1")
    with engine.begin() as connection:
        connection.exec_driver_sql(OLD_DATA)
    polls = "SELECT id, creator_id, post_id, question, answers, created_at, ended FROM polls_poll ORDER BY id"
    votes = "SELECT poll_id, user_id, answer, voted_at FROM polls_vote ORDER BY poll_id, user_id"
    before = rows(engine, polls), rows(engine, votes)

    schema.upgrade(engine)

    assert rows(engine, "SELECT poll_id, position, text FROM polls_choice ORDER BY 1, 2") == [
        (1, 0, "Yes"),
        (1, 1, "No"),
        (1, 2, 'It depends, "somehow"'),
        (2, 0, "No"),
        (2, 1, "Yes"),
        (3, 0, "a"),
        (3, 1, "b"),
    ]
    assert rows(engine, "SELECT id, ended_at::date::text FROM polls_poll ORDER BY 1") == [
        (1, None),
        (2, "2024-01-07"),
        (3, "2024-01-03"),
    ]
    store = example("store").Store(engine)
    assert [count.votes for count in store.get(1).counts] == [1, 0, 1]
    assert [count.votes for count in store.get(2).counts] == [0, 2]
    schema.upgrade(engine)  # there is nothing to do

    schema.downgrade(engine, "v1")

    assert (rows(engine, polls), rows(engine, votes)) == before
    schema.downgrade(engine, "base")
    assert rows(engine, "SELECT count(*) FROM pg_tables WHERE tablename LIKE 'polls_%%' ESCAPE '!'") == [(1,)]


def test_a_migration_that_fails_leaves_the_tables_as_they_were(example: Any, engine: sa.Engine) -> None:
    migrate(example, engine, "v1")
    with engine.begin() as connection:
        connection.exec_driver_sql(OLD_DATA)
        # Nobody could have voted for that.
        connection.exec_driver_sql("UPDATE polls_vote SET answer = 'neither' WHERE user_id = 'v2'")

    with pytest.raises(sa.exc.IntegrityError) as caught:
        example("schema").upgrade(engine)

    assert caught.value.orig.sqlstate == "23502"
    assert rows(engine, "SELECT version_num FROM polls_version") == [("v1",)]
    assert rows(engine, "SELECT count(*) FROM polls_vote WHERE answer = 'neither'") == [(2,)]


def test_tables_of_a_later_version_are_left_alone(example: Any, engine: sa.Engine) -> None:
    schema = example("schema")
    schema.upgrade(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE polls_version SET version_num = 'v3'")

    with pytest.raises(schema.SchemaError, match=r"a later version.*'/poll downgrade v2'"):
        schema.upgrade(engine)


def test_servers_that_start_at_once_migrate_one_after_the_other(example: Any, engine: sa.Engine) -> None:
    with engine.connect() as other, ThreadPoolExecutor(1) as server:
        # Another server is at it.
        other.exec_driver_sql(f"SELECT pg_advisory_xact_lock({0x706F6C6C73})")
        starting = server.submit(example("schema").upgrade, engine)
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        while rows(engine, waiting) != [(1,)]:
            assert not starting.done()
        assert rows(engine, "SELECT count(*) FROM pg_tables WHERE tablename = 'polls_poll'") == [(0,)]
        other.rollback()
        starting.result(60)
    assert rows(engine, "SELECT version_num FROM polls_version") == [("v2",)]
