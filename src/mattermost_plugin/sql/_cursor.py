"""A cursor: one statement after the other, and the rows of the last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mattermost_plugin.errors import InterfaceError, ProgrammingError
from mattermost_plugin.sql._lexer import parse
from mattermost_plugin.sql._parameters import numbered, numbered_for_all, renumbered

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import TracebackType

    from typing_extensions import Self

    from mattermost_plugin.sql._connection import Connection
    from mattermost_plugin.sql._parameters import Parameters
    from mattermost_plugin.sql._rows import Description, Rows

__all__ = ["Cursor"]


class Cursor:
    """Runs statements and returns their rows. Made by `Connection.cursor`.

    Rows come from the server in batches. Before the connection does anything else, those that are left are
    read.

    Attributes:
        connection: Where it belongs.
        arraysize: How many rows `fetchmany` returns if it is not told.
        lastrowid: Always None: PostgreSQL has no such thing; use RETURNING.
    """

    lastrowid: None = None

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.arraysize = 1
        self._rows: Rows | None = None
        self._changed = -1
        self._fetched = 0
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return self

    def __next__(self) -> tuple[Any, ...]:
        row = self.fetchone()
        if row is None:
            raise StopIteration
        return row

    @property
    def description(self) -> list[Description] | None:
        """One tuple of seven per column: name, type, and five times None. None if there are no rows."""
        return self._rows.description if self._rows is not None else None

    @property
    def rowcount(self) -> int:
        """How many rows the last statement changed or returned; -1 if that is not known (yet)."""
        return self._rows.count if self._rows is not None else self._changed

    @property
    def rownumber(self) -> int | None:
        """How many rows were fetched; None if there are none to fetch."""
        return self._fetched if self._rows is not None else None

    def execute(self, sql: str, parameters: Parameters | None = None) -> Self:
        """Run a statement.

        Args:
            sql: The statement. With parameters, `%s` or `%(name)s` stand for their values and `%%` for a
                percent sign; without, it may be several statements.
            parameters: Values, in order or by name.

        Returns:
            The cursor itself.

        Raises:
            DatabaseError: Of the class that fits; then a transaction can only be rolled back.
            InterfaceError: The cursor or its connection is closed.
        """
        if parameters is None:
            return self._run(sql, ())
        text, args = numbered(sql, parameters)
        return self._run(text, args)

    def execute_numbered(self, sql: str, parameters: Sequence[Any]) -> Self:
        """Run a statement with parameters `$1`, `$2`, ..., of the types that PostgreSQL infers."""
        text, (args,) = renumbered(sql, [parameters])
        return self._run(text, args)

    def executemany(self, sql: str, parameters: Iterable[Parameters]) -> Self:
        """Run one statement with each of many sets of parameters; rows that it returns are dropped."""
        many = list(parameters)
        if many:
            text, rows = numbered_for_all(sql, many)
            return self._run_many(text, rows)
        self._reset()
        self._changed = 0
        return self

    def executemany_numbered(self, sql: str, parameters: Iterable[Sequence[Any]]) -> Self:
        """Do what `executemany` does for a statement whose parameters are called `$1`, `$2`, ..."""
        return self._run_many(*renumbered(sql, list(parameters)))

    def fetchone(self) -> tuple[Any, ...] | None:
        """Return the next row; None after the last.

        Raises:
            ProgrammingError: The last statement returned no rows, or there was none.
        """
        with self.connection._lock:
            row = self._result().fetch_one()
            self._fetched += row is not None
            return row

    def fetchmany(self, size: int | None = None) -> list[tuple[Any, ...]]:
        """Return the next `size` rows (`arraysize` for None), or as many as there are."""
        return self._fetch(self.arraysize if size is None else size)

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return all rows that are left."""
        return self._fetch(None)

    def nextset(self) -> bool | None:
        """Go on to the next result set of several statements; None if there is none."""
        with self.connection._lock:
            following = self._result().next_set()
            if following is None:
                return None
            self._rows, self._fetched = following, 0
            self.connection._activate(following)
            return True

    def setinputsizes(self, sizes: Sequence[Any]) -> None:
        """Do nothing, as PEP 249 allows."""

    def setoutputsize(self, size: int, column: int | None = None) -> None:
        """Do nothing, as PEP 249 allows."""

    def close(self) -> None:
        """Forget what is left of the rows; the cursor cannot be used any more."""
        if not self._closed:
            if not self.connection.closed:
                self._reset()
            self._rows = None
            self._closed = True

    def _run(self, sql: str, args: Sequence[Any]) -> Self:
        with self.connection._lock:
            self._reset()
            self._take(self.connection._run(sql, args))
        return self

    def _run_many(self, sql: str, rows: list[list[Any]]) -> Self:
        statement = parse(sql)
        with self.connection._lock:
            self._reset()
            total = 0
            if statement.rows or len(rows) == 1 or statement.count != 1:
                for args in rows:
                    self._take(self.connection._run(sql, args))
                    changed = self.rowcount
                    total = total + changed if min(total, changed) >= 0 else -1
                    self._reset()
            else:
                with self.connection.prepare(sql) as prepared:
                    for args in rows:
                        total += prepared.change(args)
            self._changed = total
        return self

    def _take(self, result: Rows | int) -> None:
        if isinstance(result, int):
            self._changed = result
        else:
            self._rows = result

    def _reset(self) -> None:
        if self._closed:
            raise InterfaceError("the cursor is closed")
        self.connection._check_open()
        rows, self._rows, self._changed, self._fetched = self._rows, None, -1, 0
        if rows is not None and rows.open:
            with self.connection._lock:
                rows.close()

    def _result(self) -> Rows:
        if self._closed:
            raise InterfaceError("the cursor is closed")
        self.connection._check_open()
        if self._rows is None:
            raise ProgrammingError("there are no rows to fetch: no statement was run, or it returns none")
        return self._rows

    def _fetch(self, limit: int | None) -> list[tuple[Any, ...]]:
        with self.connection._lock:
            rows = self._result().fetch(limit)
            self._fetched += len(rows)
            return rows
