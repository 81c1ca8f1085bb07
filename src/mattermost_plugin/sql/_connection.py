"""A connection: transactions, and the statements that run in them."""

from __future__ import annotations

import threading
import warnings
import weakref
from typing import TYPE_CHECKING, Any, Literal, get_args

from mattermost_plugin import _forks, errors
from mattermost_plugin._logger import get_logger
from mattermost_plugin.errors import (
    DatabaseError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
    UsedAfterFork,
)
from mattermost_plugin.sql._cursor import Cursor
from mattermost_plugin.sql._describing import (
    Plan,
    describe_by_prepare,
    describe_by_select,
    describe_unknown,
    plan_of,
    read_types,
)
from mattermost_plugin.sql._lexer import parse
from mattermost_plugin.sql._rows import Rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from typing_extensions import Self

    from mattermost_plugin.sql._driver import Driver
    from mattermost_plugin.sql._lexer import Statement
    from mattermost_plugin.sql._parameters import Parameters
    from mattermost_plugin.sql._prepared import PreparedStatement

__all__ = ["Connection", "IsolationLevel"]

logger = get_logger("mattermost_plugin.sql")

IsolationLevel = Literal["READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"]
# As Go's sql.IsolationLevel counts them.
_ISOLATION: dict[str | None, int] = {
    None: 0,
    "READ UNCOMMITTED": 1,
    "READ COMMITTED": 2,
    "REPEATABLE READ": 4,
    "SERIALIZABLE": 6,
}
_RESULT_TYPES_SINCE = 160000


class Connection:
    """A connection to Mattermost's database, through the server. Made by `connect`.

    A transaction begins with the first statement and ends with `commit` or `rollback`. Threads may share a
    connection; then they share its transaction. As a context manager it commits, or rolls back after an
    exception, and closes itself.

    The server takes the connection from its own pool and back when it is closed: transactions are rolled
    back then, and settings made with SET, temporary tables, listens and advisory locks are gone.
    """

    Warning = Warning
    Error = errors.SQLError
    InterfaceError = errors.InterfaceError
    DatabaseError = errors.DatabaseError
    DataError = errors.DataError
    OperationalError = errors.OperationalError
    IntegrityError = errors.IntegrityError
    InternalError = errors.InternalError
    ProgrammingError = errors.ProgrammingError
    NotSupportedError = errors.NotSupportedError

    def __init__(self, driver: Driver, *, replica: bool, parse_json: bool = True) -> None:
        self._driver = driver
        self._parse_json = parse_json
        self._lock = threading.RLock()
        self._transaction: str | None = None
        self._autocommit = False
        self._isolation_level: IsolationLevel | None = None
        # The server's driver begins a transaction either so or READ WRITE, which a replica refuses.
        self._read_only = replica
        # Of a cursor, if it has more rows; those of one that nobody has any more are nobody's to read.
        self._active: weakref.ref[Rows] | None = None
        self._closed = True
        self._server_version = 0
        self._id = driver.conn(master=not replica)
        self._closed = False
        self._forked = False
        _forks.add(self)

    def after_fork(self) -> None:
        """Be of no use in a forked child: the connection is the parent's, who goes on with it."""
        self._forked = self._closed = True
        self._active = self._transaction = None
        self._lock = threading.RLock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._closed:
            return
        try:
            if kind is None:
                self.commit()
            else:
                try:
                    self.rollback()
                except DatabaseError as lost:
                    # What happened first is what the caller has to hear of; the database has rolled back.
                    logger.debug("Rolling back failed: %s", lost)
        finally:
            self.close()

    def __del__(self) -> None:
        if not getattr(self, "_closed", True):
            warnings.warn(f"{self!r} was not closed", ResourceWarning, source=self, stacklevel=2)

    def __repr__(self) -> str:
        state = "closed" if self._closed else "in a transaction" if self._transaction else "open"
        return f"<mattermost_plugin.sql.Connection {state}>"

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction has begun."""
        return self._transaction is not None

    @property
    def autocommit(self) -> bool:
        """Whether each statement is a transaction of its own. Cannot be changed inside a transaction."""
        return self._autocommit

    @autocommit.setter
    def autocommit(self, value: bool) -> None:
        self._require_no_transaction("autocommit")
        self._autocommit = value

    @property
    def isolation_level(self) -> IsolationLevel | None:
        """Isolation of the next transactions; None for the database's default."""
        return self._isolation_level

    @isolation_level.setter
    def isolation_level(self, value: IsolationLevel | None) -> None:
        self._require_no_transaction("isolation_level")
        if value not in _ISOLATION:
            raise ProgrammingError(
                f"isolation_level is None or one of {', '.join(get_args(IsolationLevel))}, not {value!r}"
            )
        self._isolation_level = value

    @property
    def read_only(self) -> bool:
        """Whether the next transactions may only read, as they do on a replica."""
        return self._read_only

    @read_only.setter
    def read_only(self, value: bool) -> None:
        self._require_no_transaction("read_only")
        self._read_only = value

    @property
    def server_version(self) -> int:
        """PostgreSQL's version as a number, such as 160004."""
        with self._lock:
            if not self._server_version:
                self._check_open()
                self._free()
                rows = self._query(Plan("SHOW server_version_num", None), ())
                self._server_version = int(rows.fetch(None)[0][0])
            return self._server_version

    def cursor(self) -> Cursor:
        """Return a new cursor.

        Raises:
            InterfaceError: The connection is closed.
        """
        self._check_open()
        return Cursor(self)

    def execute(self, sql: str, parameters: Parameters | None = None) -> Cursor:
        """Run a statement with a new cursor, and return that."""
        return self.cursor().execute(sql, parameters)

    def prepare(self, sql: str) -> PreparedStatement:
        """Return a statement that is parsed once and can be run many times.

        Args:
            sql: One statement, with `%s` or `%(name)s` for its parameters, whose types the statement decides.
        """
        from mattermost_plugin.sql._prepared import PreparedStatement

        self._check_open()
        return PreparedStatement(self, sql)

    def ping(self) -> None:
        """Ask the database for a sign of life.

        Raises:
            OperationalError: There is none.
        """
        with self._lock:
            self._check_open()
            self._free()
            self._driver.conn_ping(self._id)

    def commit(self) -> None:
        """End the transaction and keep what it did. Without a transaction: nothing.

        Raises:
            InternalError: A statement in it had failed, so that it was rolled back.
            DatabaseError: PostgreSQL could not commit it, or failed at rows that were still to be read; roll
                back.
        """
        self._end(self._driver.tx_commit)

    def rollback(self) -> None:
        """End the transaction and undo what it did. Without a transaction: nothing.

        Raises:
            OperationalError: The connection is lost; the database has rolled back then.
        """
        self._end(self._driver.tx_rollback, undo=True)

    def close(self) -> None:
        """Give the connection back; a transaction is rolled back. Further calls do nothing."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._active = self._transaction = None
            try:
                self._driver.conn_close(self._id)
            except OperationalError as error:
                # There is nobody left to give it back to; it is gone all the same.
                logger.debug("Closing a database connection failed: %s", error)

    def _end(self, end: Callable[[str], None], *, undo: bool = False) -> None:
        with self._lock:
            self._check_open()
            if self._transaction is None:
                return
            self._free(undo=undo)
            transaction, self._transaction = self._transaction, None
            end(transaction)

    def _check_open(self) -> None:
        if self._forked:
            raise UsedAfterFork(_forks.FORKED)
        if self._closed:
            raise InterfaceError("the connection is closed")

    def _require_no_transaction(self, what: str) -> None:
        self._check_open()
        if self._transaction is not None:
            raise ProgrammingError(
                f"{what} cannot be changed inside a transaction: commit or roll back first"
            )

    def _free(self, *, undo: bool = False) -> None:
        """Read the rows to their end that the connection is at.

        Raises:
            DatabaseError: The database failed at them, and with them the transaction.
        """
        active = self._active() if self._active is not None else None
        self._active = None
        # The host ends those that are left when it is asked for something else.
        if active is not None and active.open:
            refusal = active.detach()
            if refusal is not None and self._transaction is not None and not undo:
                raise refusal

    def _ready(self) -> None:
        """Prepare for a statement: end what is under way, begin a transaction if there has to be one."""
        self._check_open()
        self._free()
        if self._transaction is None and not self._autocommit:
            self._transaction = self._driver.tx(
                self._id, _ISOLATION[self._isolation_level], read_only=self._read_only
            )

    def _run(self, sql: str, args: Sequence[Any]) -> Rows | int:
        """Run statements with parameters `$1`, ...; return their rows or how many they changed."""
        statement = parse(sql)
        with self._lock:
            self._ready()
            if not statement.rows:
                count = self._driver.conn_exec(self._id, sql, args)
                if statement.schema:
                    self._driver.plans.clear()
                return count if statement.count and not statement.schema else -1
            return self._activate(self._run_query(statement, args))

    def _activate(self, rows: Rows) -> Rows:
        self._active = weakref.ref(rows) if rows.open else None
        return rows

    def _run_query(self, statement: Statement, args: Sequence[Any]) -> Rows:
        if not statement.wrappable:
            rows = self._query(Plan(statement.text, None), args)
            rows.require_expected()
            return rows
        rows = self._query(self._plan(statement, args), args)
        if not rows.expected:
            self._driver.plans.forget(statement.text)
            if not statement.changes:
                # Its tables have changed since it was described; it did nothing yet.
                rows = self._query(self._plan(statement, args), args)
        rows.require_expected()
        if statement.changes:
            rows.complete()  # so that the number of rows is known
        return rows

    def _query(self, plan: Plan, args: Sequence[Any]) -> Rows:
        rows_id = self._driver.conn_query(self._id, plan.sql, args)
        return Rows(self._driver, rows_id, plan, parse_json=self._parse_json)

    def _plan(self, statement: Statement, args: Sequence[Any]) -> Plan:
        plan = self._driver.plans.get(statement.text)
        if plan is None:
            try:
                plan = plan_of(statement, *self._describe(statement, args))
            except DatabaseError as error:
                raise error from None
            self._driver.plans.put(statement.text, plan)
        return plan

    def _describe(
        self, statement: Statement, args: Sequence[Any]
    ) -> tuple[list[str], tuple[str, ...] | None]:
        """Return the types of a statement's columns, and their kinds where the driver does not know them."""
        if not statement.changes:
            head = describe_by_select(statement).index(statement.text)
            with shifted(head):
                rows_id = self._driver.conn_query(self._id, describe_by_select(statement), args)
            _rows, _names, types, _more, _end = self._driver.rows_next(rows_id, 1, 1, describe=True)
            if all(types):
                return types, None
            return types, read_types(self._one(describe_unknown(statement, len(types)), args))[1]
        if self.server_version < _RESULT_TYPES_SINCE:
            return [], None  # then the plan is to run it as it is; a date or time is refused
        script, head = describe_by_prepare(statement)
        with shifted(head):
            return read_types(self._one(script, ()))

    def _one(self, sql: str, args: Sequence[Any]) -> str:
        """Return the first value of a query, which is text."""
        rows = Rows(
            self._driver,
            self._driver.conn_query(self._id, sql, args),
            Plan(sql, None),
            parse_json=False,
        )
        found = rows.fetch(None)
        rows.detach()
        return str(found[0][0])


class shifted:  # noqa: N801 - used like a function
    """Corrects the position in an error of a statement that was sent inside another one."""

    def __init__(self, characters: int) -> None:
        self._characters = characters

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, DatabaseError) and error.position.isdigit():
            error.position = str(max(int(error.position) - self._characters, 1))
