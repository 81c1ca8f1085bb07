"""Connections to a read replica: a real one, which follows the master."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from mattermost_plugin import sql
from mattermost_plugin.sql._connect import open_connection
from mattermost_plugin.sql._engine import engine_of
from tests.sql.host import DatabaseHost

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DatabaseHost]:
    with DatabaseHost(tmp_path_factory.mktemp("database"), with_replica=True) as host:
        with open_connection(host.driver) as master:
            master.execute("CREATE TABLE things AS SELECT 7 AS id, timestamptz '2024-01-01Z' AS at")
        deadline = time.monotonic() + 60
        with open_connection(host.driver, replica=True) as replica:
            while replica.execute("SELECT to_regclass('things') IS NULL").fetchone() == (True,):
                replica.rollback()
                assert time.monotonic() < deadline
        yield host


def test_a_connection_is_to_the_replica_if_that_is_asked_for(host: DatabaseHost) -> None:
    for replica in (True, False):
        with open_connection(host.driver, replica=replica) as connection:
            assert connection.execute("SELECT pg_is_in_recovery()").fetchone() == (replica,)
            assert connection.read_only is replica
            rows = connection.execute("SELECT id, at::date::text, at FROM things").fetchall()
            assert rows[0][:2] == (7, "2024-01-01")


def test_a_replica_can_only_be_read(host: DatabaseHost) -> None:
    with open_connection(host.driver, replica=True) as connection:
        with pytest.raises(sql.InternalError) as caught:
            connection.execute("INSERT INTO things VALUES (8)")
        assert caught.value.sqlstate == "25006"
        connection.rollback()
        # PostgreSQL has nothing else there.
        connection.read_only = False
        with pytest.raises(sql.Error, match="read-write mode during recovery"):
            connection.execute("SELECT 1")
    with open_connection(host.driver, replica=True, autocommit=True) as connection:
        assert connection.execute("SELECT id FROM things").fetchall() == [(7,)]


def test_a_replicas_connection_goes_back_as_it_was(host: DatabaseHost) -> None:
    with open_connection(host.driver, replica=True) as connection:
        connection.execute("SET statement_timeout = 12345; SELECT pg_advisory_lock(1)")
        (pid,) = connection.execute("SELECT pg_backend_pid()").fetchone() or (0,)
    with open_connection(host.driver, replica=True) as connection:
        assert connection.execute("SELECT pg_backend_pid()").fetchone() == (pid,)
        assert connection.execute("SHOW statement_timeout").fetchone() == ("0",)
        assert connection.execute("SELECT pg_try_advisory_xact_lock(1)").fetchone() == (True,)


def test_an_engine_reads_from_the_replica(host: DatabaseHost) -> None:
    engine = engine_of(lambda: open_connection(host.driver, replica=True, parse_json=False), {})
    for _ in range(2):
        with engine.connect() as connection:
            assert connection.execute(sa.text("SELECT id, pg_is_in_recovery() FROM things")).all() == [
                (7, True)
            ]
    assert sa.inspect(engine).get_columns("things")[1]["name"] == "at"
    engine.dispose()
