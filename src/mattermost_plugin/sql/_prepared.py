"""Prepared statements: parsed once by the database, run many times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mattermost_plugin.errors import InterfaceError, OperationalError, ProgrammingError
from mattermost_plugin.sql._describing import Plan
from mattermost_plugin.sql._lexer import parse
from mattermost_plugin.sql._parameters import numbered_untyped
from mattermost_plugin.sql._rows import Rows

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from typing_extensions import Self

    from mattermost_plugin.sql._connection import Connection
    from mattermost_plugin.sql._cursor import Cursor
    from mattermost_plugin.sql._parameters import Parameters

__all__ = ["PreparedStatement"]


class PreparedStatement:
    """A statement of a connection that was parsed once. Made by `Connection.prepare`; a context manager."""

    def __init__(self, connection: Connection, sql: str) -> None:
        self._connection = connection
        self._sql = sql
        self._id = ""
        self._plan: Plan | None = None
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def execute(self, parameters: Parameters = ()) -> Cursor:
        """Run it and return a cursor with its rows."""
        text, args = numbered_untyped(self._sql, parameters)
        cursor = self._connection.cursor()
        with self._connection._lock:
            if parse(text).rows:
                cursor._take(self._query(text, args))
            else:
                cursor._take(self._change(text, args))
        return cursor

    def change(self, args: Sequence[Any]) -> int:
        """Run a statement without rows, with parameters `$1`, ...; return how many rows it changed."""
        return self._change(self._sql, args)

    def close(self) -> None:
        """Forget the statement; the connection may be closed already."""
        with self._connection._lock:
            if self._closed:
                return
            self._closed = True
            if self._id and not self._connection.closed:
                self._connection._free()
                try:
                    self._connection._driver.stmt_close(self._id)
                except OperationalError:
                    if not self._connection.closed:
                        raise

    def _prepare(self, text: str, args: Sequence[Any]) -> Plan:
        if self._closed:
            raise InterfaceError("the prepared statement is closed")
        statement = parse(text)
        if statement.count != 1:
            raise ProgrammingError("only one statement can be prepared at a time")
        self._connection._ready()
        if self._plan is None:
            plan = Plan(statement.text, None)
            if statement.wrappable:
                plan = self._connection._plan(statement, args)
            self._id = self._connection._driver.stmt(self._connection._id, plan.sql)
            self._plan = plan
        return self._plan

    def _change(self, text: str, args: Sequence[Any]) -> int:
        self._prepare(text, args)
        return self._connection._driver.stmt_exec(self._id, args)

    def _query(self, text: str, args: Sequence[Any]) -> Rows:
        plan = self._prepare(text, args)
        connection = self._connection
        rows_id = connection._driver.stmt_query(self._id, args)
        rows = Rows(connection._driver, rows_id, plan, parse_json=connection._parse_json)
        rows.require_expected()
        if parse(text).changes:
            rows.complete()
        return connection._activate(rows)
