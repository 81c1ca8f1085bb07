"""The behaviour suite for PEP 249, as the package `dbapi-compliance` has it, and what it leaves out.

It is called by the module's own `connect`, with a plugin whose database is that of the tests.
"""

from __future__ import annotations

import calendar
from datetime import timezone
from typing import TYPE_CHECKING, Any

import dbapi20
import pytest

from mattermost_plugin import Plugin, sql
from mattermost_plugin._runtime.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sql.host import DatabaseHost


class TestPEP249(dbapi20.DatabaseAPI20Test):
    """The suite; what is overridden is what it leaves to the module, or asks nothing about."""

    driver = sql

    @pytest.fixture(autouse=True)
    def reach(self, host: DatabaseHost) -> Iterator[None]:
        plugin = Plugin()
        plugin._database = Database(f"unix:{host.socket}", None)
        self.connect_args = (plugin,)
        yield
        plugin._database.close()

    def _connect(self) -> sql.Connection:
        """Connect; some tests of the suite leave it to the garbage collector to close, which warns here."""
        connection: sql.Connection = super()._connect()
        self.addCleanup(connection.close)
        return connection

    def test_non_idempotent_close(self) -> None:
        """The suite calls this a matter of opinion, PEP 249 says nothing: closing twice does nothing here."""
        connection = self._connect()
        connection.close()
        connection.close()
        assert connection.closed
        with pytest.raises(sql.Error):
            connection.rollback()

    def test_callproc(self) -> None:
        """It is optional, and missing: functions and procedures are called by statements."""
        with self._connect() as connection:
            cursor = connection.cursor()
            assert not hasattr(cursor, "callproc")
            assert cursor.execute("SELECT lower(%s)", ("FOO",)).fetchall() == [("foo",)]
            cursor.execute(
                "CREATE PROCEDURE pg_temp.twice(INOUT a int) LANGUAGE plpgsql AS 'BEGIN a := 2 * a; END'"
            )
            assert cursor.execute("CALL pg_temp.twice(%s)", (21,)).fetchall() == [(42,)]

    def test_nextset(self) -> None:
        """The suite's is about a procedure with results; in PostgreSQL several statements have several."""
        with self._connect() as connection:
            cursor = connection.cursor()
            with pytest.raises(sql.Error):
                cursor.nextset()
            self.executeDDL1(cursor)
            with pytest.raises(sql.Error):
                cursor.nextset()
            for statement in self._populate():
                cursor.execute(statement)
            table = f"{self.table_prefix}booze"
            cursor.execute(f"SELECT count(*) FROM {table}; SELECT name FROM {table} ORDER BY name")
            assert cursor.fetchone() == (len(self.samples),)
            assert cursor.nextset()
            assert cursor.fetchall() == [(name,) for name in self.samples]
            assert cursor.nextset() is None

    def test_setoutputsize(self) -> None:
        """It does nothing, as PEP 249 allows: values are never cut."""
        with self._connect() as connection:
            cursor = connection.cursor()
            cursor.setoutputsize(1)
            cursor.setoutputsize(1, 0)
            assert cursor.execute("SELECT repeat('x', 100000)").fetchone() == ("x" * 100_000,)

    def test_Date(self) -> None:  # noqa: N802 - the name is the suite's
        """The suite compares nothing, because PEP 249 does not say in which zone; it is UTC here."""
        self._same(sql.Date(2002, 12, 25), sql.DateFromTicks(calendar.timegm((2002, 12, 25, 23, 59, 59))))

    def test_Time(self) -> None:  # noqa: N802
        self._same(sql.Time(13, 45, 30), sql.TimeFromTicks(calendar.timegm((2001, 1, 1, 13, 45, 30))))

    def test_Timestamp(self) -> None:  # noqa: N802
        moment = sql.Timestamp(2002, 12, 25, 13, 45, 30, tzinfo=timezone.utc)
        self._same(moment, sql.TimestampFromTicks(calendar.timegm((2002, 12, 25, 13, 45, 30))))

    def test_Binary(self) -> None:  # noqa: N802
        self._same(bytes(range(256)), sql.Binary(bytes(range(256))))
        self._same(b"", sql.Binary(b""))

    def _same(self, value: Any, constructed: Any) -> None:
        """Both are equal, and the database takes and returns them."""
        assert constructed == value
        with self._connect() as connection:
            assert connection.execute("SELECT %s", (constructed,)).fetchone() == (value,)


def test_the_tree_of_exceptions_is_that_of_pep_249() -> None:
    """The suite only asks whether all of them are errors."""
    for kind in (
        sql.DataError,
        sql.OperationalError,
        sql.IntegrityError,
        sql.InternalError,
        sql.ProgrammingError,
        sql.NotSupportedError,
    ):
        assert issubclass(kind, sql.DatabaseError)
    assert not issubclass(sql.InterfaceError, sql.DatabaseError)
    assert not issubclass(sql.Warning, sql.Error)


def test_every_exception_is_an_attribute_of_the_connection(connection: sql.Connection) -> None:
    """The suite leaves DataError out."""
    for name in sql.__all__:
        if name.endswith("Error") or name == "Warning":
            assert getattr(connection, name) is getattr(sql, name)


@pytest.mark.parametrize(
    ("kind", "expressions"),
    [
        (sql.STRING, ["'a'::text", "'a'::varchar(3)", "'a'::char(3)", "'a'::name", "'a'"]),
        (sql.BINARY, ["'a'::bytea"]),
        (sql.NUMBER, ["1::int2", "1", "1::int8", "1::float4", "1::float8", "1.5"]),
        (
            sql.DATETIME,
            ["now()", "now()::timestamp", "now()::date", "now()::time", "now()::timetz", "now() - now()"],
        ),
        (sql.ROWID, ["1::oid"]),
    ],
    ids=repr,
)
def test_type_codes_equal_one_type_object(
    connection: sql.Connection, kind: object, expressions: list[str]
) -> None:
    cursor = connection.execute(f"SELECT {', '.join(expressions)}")
    for column, expression in zip(cursor.description or (), expressions, strict=True):
        found = [
            one for one in (sql.STRING, sql.BINARY, sql.NUMBER, sql.DATETIME, sql.ROWID) if column[1] == one
        ]
        assert found == [kind], expression


def test_rowcount_is_known_for_what_was_changed_and_what_was_read(connection: sql.Connection) -> None:
    """The suite accepts -1 everywhere."""
    cursor = connection.cursor()
    assert cursor.rowcount == -1
    cursor.execute("CREATE TEMP TABLE counted (n int)")
    assert cursor.rowcount == -1
    cursor.execute("INSERT INTO counted SELECT generate_series(1, 300)")
    assert cursor.rowcount == 300
    cursor.executemany("DELETE FROM counted WHERE n = %s", [(1,), (2,), (1000,)])
    assert cursor.rowcount == 2
    cursor.execute("SELECT n FROM counted")
    assert len(cursor.fetchall()) == cursor.rowcount == 298


def test_rownumber_iteration_and_connection_are_as_the_extensions_say(connection: sql.Connection) -> None:
    cursor = connection.cursor()
    assert cursor.connection is connection
    assert cursor.rownumber is None
    cursor.execute("SELECT generate_series(0, 249)")
    for row in cursor:
        assert cursor.rownumber == row[0] + 1
    assert cursor.rownumber == 250
    assert next(cursor, None) is None
    assert cursor.lastrowid is None


def test_a_closed_cursor_can_do_nothing(connection: sql.Connection) -> None:
    cursor = connection.execute("SELECT 1")
    cursor.close()
    cursor.close()
    for use in (
        cursor.fetchone,
        cursor.fetchmany,
        cursor.fetchall,
        cursor.nextset,
        lambda: next(cursor),
        lambda: cursor.execute("SELECT 1"),
        lambda: cursor.executemany("SELECT %s", [(1,)]),
        lambda: cursor.executemany("SELECT %s", []),
    ):
        with pytest.raises(sql.InterfaceError, match="closed"):
            use()
    assert connection.execute("SELECT 2").fetchone() == (2,)
