"""What fails after some rows is said to whoever fetches them, and to nobody else."""

from __future__ import annotations

import gc
import weakref
from typing import TYPE_CHECKING

import pytest

from mattermost_plugin import sql
from mattermost_plugin.sql._connect import open_connection

if TYPE_CHECKING:
    from tests.sql.host import DatabaseHost

# Row 3000 cannot be: for Python, or for the database.
UNREADABLE = (
    "SELECT CASE g WHEN 3000 THEN 'infinity' ELSE '2024-01-01'::date END FROM generate_series(1, 5000) g"
)
FAILING = "SELECT 1 / (3000 - g) FROM generate_series(1, 5000) g"


@pytest.mark.parametrize("statement", [UNREADABLE, FAILING])
def test_rows_that_fail_never_look_complete(connection: sql.Connection, statement: str) -> None:
    cursor = connection.execute(statement)
    for _ in range(2):
        with pytest.raises(sql.DataError):
            cursor.fetchall()
    assert cursor.rowcount == -1

    connection.rollback()
    cursor = connection.execute(statement)
    with pytest.raises(sql.DataError):
        list(cursor)
    with pytest.raises(sql.DataError):
        cursor.fetchone()


def test_the_rows_before_what_fails_can_be_fetched(connection: sql.Connection) -> None:
    cursor = connection.execute(FAILING)
    assert len(cursor.fetchmany(2999)) == 2999
    with pytest.raises(sql.DataError, match="division by zero"):
        cursor.fetchmany(1)


def test_a_value_python_cannot_hold_does_not_fail_another_cursors_statement(
    connection: sql.Connection,
) -> None:
    cursor = connection.execute(UNREADABLE)
    assert connection.execute("SELECT 1").fetchall() == [(1,)]
    connection.commit()
    with pytest.raises(sql.DataError, match="infinity"):
        cursor.fetchall()


def test_what_fails_the_transaction_is_said_to_the_next_statement(connection: sql.Connection) -> None:
    cursor = connection.execute(FAILING)
    with pytest.raises(sql.DataError, match="division by zero"):
        connection.execute("SELECT 1")
    with pytest.raises(sql.DataError, match="division by zero"):
        cursor.fetchall()
    connection.rollback()
    assert connection.execute("SELECT 1").fetchall() == [(1,)]


def test_no_transaction_is_committed_whose_rows_failed(connection: sql.Connection) -> None:
    cursor = connection.execute(FAILING)
    with pytest.raises(sql.DataError, match="division by zero"):
        connection.commit()
    with pytest.raises(sql.DataError, match="division by zero"):
        cursor.fetchall()
    assert connection.in_transaction
    connection.rollback()
    assert not connection.in_transaction


def test_a_rollback_does_not_fail_because_of_rows_nobody_fetched(connection: sql.Connection) -> None:
    for statement in (FAILING, UNREADABLE):
        cursor = connection.execute(statement)
        connection.rollback()
        assert not connection.in_transaction
        with pytest.raises(sql.DataError):
            cursor.fetchall()


def test_with_autocommit_the_next_statement_runs_whatever_failed_before(host: DatabaseHost) -> None:
    with open_connection(host.driver, autocommit=True) as connection:
        cursor = connection.execute(FAILING)
        assert connection.execute("SELECT 1").fetchall() == [(1,)]
        with pytest.raises(sql.DataError, match="division by zero"):
            cursor.fetchall()


def test_a_change_fails_when_it_is_run(connection: sql.Connection) -> None:
    connection.execute("CREATE TEMP TABLE changed (n int)")
    connection.commit()
    change = "INSERT INTO changed SELECT 1 / (3000 - g) FROM generate_series(1, 5000) g RETURNING n"
    with pytest.raises(sql.DataError, match="division by zero"):
        connection.execute(change)
    connection.rollback()
    with connection.prepare(change) as prepared, pytest.raises(sql.DataError, match="division by zero"):
        prepared.execute()


@pytest.mark.parametrize("detached", [False, True], ids=["at once", "after another statement"])
@pytest.mark.parametrize(
    ("second", "error", "text"),
    [
        ("SELECT now()", sql.NotSupportedError, "cast to text"),
        ("SELECT 1 / (g - 3000) FROM generate_series(1, 5000) g", sql.DataError, "division by zero"),
        ("SELECT nothing", sql.ProgrammingError, "nothing"),
    ],
)
def test_a_result_set_that_fails_does_not_look_as_if_it_were_not_there(
    host: DatabaseHost, second: str, error: type[Exception], text: str, *, detached: bool
) -> None:
    with open_connection(host.driver, autocommit=True) as connection:
        with pytest.raises(error, match=text):  # noqa: PT012 - where depends on when the database looks
            cursor = connection.execute(f"SELECT generate_series(1, 3000); {second}")
            if detached:
                assert connection.execute("SELECT 1").fetchone() == (1,)
            assert len(cursor.fetchall()) == 3000
            assert cursor.nextset()
            cursor.fetchall()
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_rows_that_nobody_has_any_more_are_not_read(connection: sql.Connection) -> None:
    gone = weakref.ref(connection.execute("SELECT generate_series(1, 5000)")._rows)
    gc.collect()
    assert gone() is None
    assert connection.execute("SELECT 1").fetchall() == [(1,)]
    connection.execute("SELECT generate_series(1, 5000)")
    connection.commit()
    connection.execute(FAILING)
    with pytest.raises(sql.InternalError):
        connection.commit()
