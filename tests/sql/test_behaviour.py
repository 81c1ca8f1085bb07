"""The PEP 249 module on a real PostgreSQL, by the way a plugin's statements take."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from mattermost_plugin import sql
from mattermost_plugin.errors import OperationalError
from mattermost_plugin.sql._connect import open_connection
from tests.sql.host import DatabaseHost


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        7,
        2**40,
        1.5,
        Decimal("12345678901234567890.123456789"),
        "Grüße",
        "",
        b"\x00\xff",
        b"",
        datetime(2024, 2, 29, 12, 30, 0, 123456),  # noqa: DTZ001 - a timestamp without zone
        datetime(2024, 2, 29, 12, 30, tzinfo=timezone.utc),
        date(2024, 2, 29),
        time(1, 2, 3, 4),
        timedelta(days=-2, seconds=3),
        UUID(int=5),
        [1, None, 3],
        [date(2024, 1, 1)],
    ],
    ids=repr,
)
def test_a_value_comes_back_as_it_went(connection: sql.Connection, value: Any) -> None:
    row = connection.execute("SELECT %s", (value,)).fetchone()
    assert row == (value,)
    assert type(row[0]) is type(value)


def test_dates_and_times_come_from_any_statement(connection: sql.Connection) -> None:
    connection.execute("CREATE TEMP TABLE t (id serial, at timestamptz DEFAULT '2024-01-01 00:00Z', d date)")
    at = datetime(2024, 1, 1, tzinfo=timezone.utc)
    inserted = connection.execute("INSERT INTO t (d) VALUES (%s) RETURNING *", (date(2024, 1, 2),))
    assert inserted.rowcount == 1
    assert [column[0] for column in inserted.description or ()] == ["id", "at", "d"]
    assert inserted.fetchall() == [(1, at, date(2024, 1, 2))]
    both = "WITH n AS (INSERT INTO t DEFAULT VALUES RETURNING id) UPDATE t SET d = NULL RETURNING at, d"
    assert connection.execute(both).fetchall() == [(at, None)]
    assert connection.execute("SELECT at, at FROM t ORDER BY id FOR UPDATE").fetchall() == [(at, at)] * 2


def test_a_date_that_cannot_be_cast_is_refused_and_the_connection_lives(connection: sql.Connection) -> None:
    with pytest.raises(sql.NotSupportedError, match="cast to text"):
        connection.execute("SELECT 1; SELECT now()").nextset()
    assert connection.execute("SELECT 1").fetchall() == [(1,)]


def test_result_sets_follow_each_other(connection: sql.Connection) -> None:
    cursor = connection.execute("SELECT 1 AS a; SELECT 'x' AS b, 2 AS c")
    assert cursor.fetchall() == [(1,)]
    assert cursor.nextset()
    assert cursor.fetchall() == [("x", 2)]
    assert cursor.nextset() is None


def test_rows_are_read_before_the_connection_goes_on(connection: sql.Connection) -> None:
    first = connection.execute("SELECT generate_series(1, 5000)")
    assert connection.execute("SELECT 'second'").fetchone() == ("second",)
    assert len(first.fetchall()) == 5000


def test_errors_have_the_class_of_their_sqlstate(connection: sql.Connection) -> None:
    with pytest.raises(sql.ProgrammingError) as caught:
        connection.execute("SELECT nothing FROM pg_class")
    assert (caught.value.sqlstate, caught.value.position) == ("42703", "8")
    with pytest.raises(sql.InternalError):
        connection.execute("SELECT 1")
    with pytest.raises(sql.InternalError):
        connection.commit()
    with pytest.raises(sql.DataError):
        connection.execute("SELECT 1 / %s", (0,)).fetchall()


def test_a_transaction_can_be_serializable_and_read_only(connection: sql.Connection) -> None:
    connection.isolation_level, connection.read_only = "SERIALIZABLE", True
    assert connection.execute("SHOW transaction_isolation").fetchone() == ("serializable",)
    with pytest.raises(sql.InternalError):
        connection.execute("CREATE TABLE t (a int)")


def test_a_prepared_statement_runs_many_times(connection: sql.Connection) -> None:
    with connection.prepare("SELECT %s::int + 1, date '2024-01-01'") as plus_one:
        for number in range(3):
            assert plus_one.execute((number,)).fetchall() == [(number + 1, date(2024, 1, 1))]


def test_a_closed_connection_says_so(connection: sql.Connection) -> None:
    cursor = connection.cursor()
    connection.close()
    connection.close()
    for use in (connection.cursor, connection.commit, lambda: cursor.execute("SELECT 1")):
        with pytest.raises(sql.InterfaceError):
            use()


def test_an_exception_is_heard_of_though_the_connection_is_lost_too(host: DatabaseHost) -> None:
    def fail() -> None:
        with connection:
            connection.execute("SELECT 1")
            host.end_session()
            raise KeyError("first")

    connection = open_connection(host.driver)
    with pytest.raises(KeyError, match="first"):
        fail()
    assert connection.closed


def test_what_a_dead_process_left_open_is_released(host: DatabaseHost) -> None:
    left = open_connection(host.driver)
    left.execute("SELECT pg_advisory_xact_lock(42)")
    left.execute("SET statement_timeout = 1234")
    host.end_session()
    with pytest.raises(OperationalError):
        left.execute("SELECT 1")
    left.close()
    with open_connection(host.driver) as other:
        assert other.execute("SELECT pg_try_advisory_xact_lock(42)").fetchone() == (True,)
        assert other.execute("SHOW statement_timeout").fetchone() == ("0",)
