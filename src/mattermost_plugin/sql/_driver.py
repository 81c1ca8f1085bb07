"""The `Driver` service, with the exceptions of PEP 249."""

from __future__ import annotations

from collections import OrderedDict
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from mattermost_plugin._gen import driver_methods as _m
from mattermost_plugin.errors import (
    InternalError,
    OperationalError,
    PluginError,
    ProgrammingError,
    ServerError,
    SQLError,
)
from mattermost_plugin.models.driver import NamedValue, TxOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mattermost_plugin._codec.methods import Method
    from mattermost_plugin._runtime.faces import Transport
    from mattermost_plugin.models.driver import ResultContainer
    from mattermost_plugin.sql._describing import Plan

__all__ = ["END_OF_ROWS", "Driver", "Plans", "disconnected"]

# Go's io.EOF, sql.ErrTxDone, sql.ErrConnDone and driver.ErrBadConn, as ServerError.code has them.
END_OF_ROWS = 1
_NO_TRANSACTION = 4
_LOST = frozenset({3, 6})

_PLANS = 1000


class Plans:
    """What is known of the columns of the statements used last."""

    def __init__(self) -> None:
        self._plans: OrderedDict[str, Plan] = OrderedDict()

    def get(self, sql: str) -> Plan | None:
        """Return the plan for a statement."""
        return self._plans.get(sql)

    def put(self, sql: str, plan: Plan) -> None:
        """Remember the plan for a statement."""
        self._plans[sql] = plan
        if len(self._plans) > _PLANS:
            # Another thread may be faster.
            with suppress(KeyError):
                self._plans.popitem(last=False)

    def forget(self, sql: str) -> None:
        """Forget one statement."""
        self._plans.pop(sql, None)

    def clear(self) -> None:
        """Forget all: tables have changed."""
        self._plans.clear()


class Driver:
    """Calls the host's database driver; safe to use from many threads.

    Attributes:
        plans: Shared by all connections; columns are those of the database, not of a session.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.plans = Plans()

    def _call(self, method: Method, *args: Any) -> Any:
        codec = method.codec
        # Without a time limit, as any database driver: how long a statement may take is for
        # statement_timeout.
        try:
            return codec.decode_response(self._transport(method, codec.encode_request(*args), None))
        except SQLError:
            raise
        except PluginError as error:
            raise translate(error) from error

    def conn(self, *, master: bool) -> str:
        """Open a connection to the master or a replica; return its id."""
        return str(self._call(_m.CONN, master))

    def conn_ping(self, conn: str) -> None:
        """Ask the database for a sign of life."""
        self._call(_m.CONN_PING, conn)

    def conn_close(self, conn: str) -> None:
        """Close a connection with all that is open on it."""
        self._call(_m.CONN_CLOSE, conn)

    def conn_query(self, conn: str, sql: str, args: Sequence[Any]) -> str:
        """Run a statement that returns rows; return their id."""
        return str(self._call(_m.CONN_QUERY, conn, sql, named(args)))

    def conn_exec(self, conn: str, sql: str, args: Sequence[Any]) -> int:
        """Run a statement without rows; return how many it changed."""
        return affected(self._call(_m.CONN_EXEC, conn, sql, named(args)))

    def tx(self, conn: str, isolation: int, *, read_only: bool) -> str:
        """Begin a transaction; return its id."""
        return str(self._call(_m.TX, conn, TxOptions(isolation=isolation, read_only=read_only)))

    def tx_commit(self, tx: str) -> None:
        """Commit a transaction."""
        self._call(_m.TX_COMMIT, tx)

    def tx_rollback(self, tx: str) -> None:
        """Roll a transaction back."""
        self._call(_m.TX_ROLLBACK, tx)

    def stmt(self, conn: str, sql: str) -> str:
        """Prepare a statement; return its id."""
        return str(self._call(_m.STMT, conn, sql))

    def stmt_close(self, stmt: str) -> None:
        """Forget a prepared statement."""
        self._call(_m.STMT_CLOSE, stmt)

    def stmt_query(self, stmt: str, args: Sequence[Any]) -> str:
        """Run a prepared statement that returns rows; return their id."""
        return str(self._call(_m.STMT_QUERY, stmt, named(args)))

    def stmt_exec(self, stmt: str, args: Sequence[Any]) -> int:
        """Run a prepared statement without rows; return how many it changed."""
        return affected(self._call(_m.STMT_EXEC, stmt, named(args)))

    def rows_next(
        self, rows: str, limit: int, columns: int, *, describe: bool = False
    ) -> tuple[list[list[Any]], list[str], list[str], bool, PluginError | None]:
        """Return the next rows, names and types of the columns, whether a result set follows, and the end."""
        return self._call(_m.ROWS_NEXT, rows, limit, columns, describe, True)  # type: ignore[no-any-return]

    def rows_next_result_set(self, rows: str) -> None:
        """Go on to the next result set."""
        self._call(_m.ROWS_NEXT_RESULT_SET, rows)

    def rows_close(self, rows: str) -> None:
        """Forget what is left of the rows."""
        self._call(_m.ROWS_CLOSE, rows)


def named(args: Sequence[Any]) -> list[NamedValue]:
    """Return positional arguments as Go has them."""
    return [NamedValue(ordinal=number, value=value) for number, value in enumerate(args, 1)]


def affected(result: ResultContainer) -> int:
    """Return how many rows a statement changed."""
    error = result.rows_affected_error
    if isinstance(error, PluginError):
        raise translate(error) from None
    return result.rows_affected


def translate(error: PluginError) -> SQLError:
    """Return an error of a call as PEP 249 names it."""
    if isinstance(error, SQLError):
        return error
    if not isinstance(error, ServerError):
        return OperationalError(str(error))
    text = error.message.removeprefix("pq: ")
    if error.code in _LOST:
        return disconnected()
    if error.code == _NO_TRANSACTION:
        return ProgrammingError("the transaction has ended")
    if "failed transaction" in text:
        return InternalError(
            "the transaction was rolled back, because a statement in it had failed", sqlstate="25P02"
        )
    if "parameters but the statement requires" in text:
        return ProgrammingError(text)
    return OperationalError(text)


def disconnected() -> OperationalError:
    """Return the error for a connection the server has no more."""
    return OperationalError("the connection to the database is lost", sqlstate="08006")
