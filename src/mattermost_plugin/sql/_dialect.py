"""SQLAlchemy's PostgreSQL dialect over `mattermost_plugin.sql`.

Statements have PostgreSQL's own parameters, `$1`, and each is cast to the type SQLAlchemy has for it.
"""

from __future__ import annotations

import decimal
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import types as sqltypes
from sqlalchemy import util
from sqlalchemy.dialects.postgresql import ranges
from sqlalchemy.dialects.postgresql.array import ARRAY
from sqlalchemy.dialects.postgresql.base import (
    BYTEA,
    INTERVAL,
    OID,
    REGCLASS,
    PGDialect,
)
from sqlalchemy.dialects.postgresql.json import JSON, JSONB, JSONPathType
from sqlalchemy.dialects.postgresql.named_types import ENUM

from mattermost_plugin.errors import OperationalError
from mattermost_plugin.sql._ranges import multirange_of, range_of, text_of_range

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

    from sqlalchemy.engine.interfaces import ConnectArgsType, DBAPIConnection
    from sqlalchemy.engine.url import URL

    from mattermost_plugin.sql._connection import Connection, IsolationLevel
    from mattermost_plugin.sql._cursor import Cursor

__all__ = ["MattermostDialect"]

_FLOATS = frozenset({"FLOAT4", "FLOAT8"})


class _Cast:
    """Mixed into a type: its parameters are cast to it, as the driver does not tell PostgreSQL their type."""

    render_bind_cast = True


class _Number(_Cast):
    asdecimal: bool
    _effective_decimal_return_scale: int

    def bind_processor(self, dialect: Any) -> None:
        return None

    def result_processor(self, dialect: Any, coltype: object) -> Callable[[Any], Any] | None:
        scale = self._effective_decimal_return_scale
        if not self.asdecimal:
            return _to_float
        if coltype in _FLOATS:
            form = f"%.{scale}f"
            return lambda value: None if value is None else decimal.Decimal(form % value)
        return lambda value: decimal.Decimal(value) if isinstance(value, int) else value


def _to_float(value: Any) -> float | None:
    return None if value is None else float(value)


class _Numeric(_Number, sqltypes.Numeric[Any]):
    pass


class _Float(_Number, sqltypes.Float[Any]):
    pass


class _String(_Cast, sqltypes.String):
    pass


class _Integer(_Cast, sqltypes.Integer):
    pass


class _SmallInteger(_Cast, sqltypes.SmallInteger):
    pass


class _BigInteger(_Cast, sqltypes.BigInteger):
    pass


class _Boolean(_Cast, sqltypes.Boolean):
    pass


class _Date(_Cast, sqltypes.Date):
    pass


class _Time(_Cast, sqltypes.Time):
    pass


class _DateTime(_Cast, sqltypes.DateTime):
    pass


class _Interval(_Cast, INTERVAL):
    @classmethod
    def adapt_emulated_to_native(  # type: ignore[override] # its bases disagree
        cls, interval: Any, **_: Any
    ) -> Any:
        return cls(precision=interval.second_precision)


class _Bytes(_Cast, BYTEA):
    pass


class _Enum(_Cast, ENUM):
    pass


class _Array(_Cast, ARRAY[Any]):
    pass


class _JSON(_Cast, JSON):
    pass


class _JSONB(_Cast, JSONB):
    pass


class _JSONIndex(_Cast, sqltypes.JSON.JSONIntIndexType):
    __visit_name__ = "json_int_index"


class _JSONKey(_Cast, sqltypes.JSON.JSONStrIndexType):
    __visit_name__ = "json_str_index"


class _JSONPath(JSONPathType):
    pass


class _OID(_Cast, OID):
    pass


class _RegClass(_Cast, REGCLASS):
    pass


class _Range(ranges.AbstractSingleRangeImpl[Any]):
    def bind_processor(self, dialect: Any) -> Callable[[Any], Any]:
        return text_of_range

    def result_processor(self, dialect: Any, coltype: object) -> Callable[[Any], Any]:
        name = self.__visit_name__
        return lambda value: range_of(value, name) if isinstance(value, str) else value


class _MultiRange(ranges.AbstractMultiRangeImpl[Any]):
    def bind_processor(self, dialect: Any) -> Callable[[Any], Any]:
        return text_of_range

    def result_processor(self, dialect: Any, coltype: object) -> Callable[[Any], Any]:
        name = self.__visit_name__
        return lambda value: multirange_of(value, name) if isinstance(value, str) else value


class MattermostDialect(PGDialect):
    """`postgresql+mattermost_plugin`: for engines made by `mattermost_plugin.sql.create_engine`."""

    driver = "mattermost_plugin"
    supports_statement_cache = True
    default_paramstyle = "numeric_dollar"
    render_bind_cast = True
    # Rows come in batches as it is.
    supports_server_side_cursors = False
    supports_sane_multi_rowcount = True
    use_insertmanyvalues_wo_returning = True

    colspecs = util.update_copy(
        PGDialect.colspecs,
        {
            sqltypes.String: _String,
            sqltypes.Numeric: _Numeric,
            sqltypes.Float: _Float,
            sqltypes.Integer: _Integer,
            sqltypes.SmallInteger: _SmallInteger,
            sqltypes.BigInteger: _BigInteger,
            sqltypes.Boolean: _Boolean,
            sqltypes.Date: _Date,
            sqltypes.Time: _Time,
            sqltypes.DateTime: _DateTime,
            sqltypes.Interval: _Interval,
            INTERVAL: _Interval,
            sqltypes.LargeBinary: _Bytes,
            sqltypes.Enum: _Enum,
            sqltypes.ARRAY: _Array,
            sqltypes.JSON: _JSON,
            JSONB: _JSONB,
            sqltypes.JSON.JSONIntIndexType: _JSONIndex,
            sqltypes.JSON.JSONStrIndexType: _JSONKey,
            sqltypes.JSON.JSONPathType: _JSONPath,
            OID: _OID,
            REGCLASS: _RegClass,
            ranges.AbstractSingleRange: _Range,
            ranges.AbstractMultiRange: _MultiRange,
        },
    )

    def __init__(self, **options: Any) -> None:
        # Not that of the module, which the dialect would take otherwise.
        options.setdefault("paramstyle", self.default_paramstyle)
        super().__init__(**options)  # type: ignore[no-untyped-call]

    @classmethod
    def import_dbapi(cls) -> ModuleType:
        """Return the PEP 249 module."""
        from mattermost_plugin import sql

        return sql

    def create_connect_args(self, url: URL) -> ConnectArgsType:
        """Return nothing: a URL says nothing about connections, the engine's creator makes them."""
        return (), {}

    def connect(self, *cargs: Any, **cparams: Any) -> DBAPIConnection:
        """Say that a URL alone does not do."""
        raise OperationalError(
            "a URL cannot say which plugin it is: make the engine with "
            "mattermost_plugin.sql.create_engine(plugin)"
        )

    def do_execute(self, cursor: Any, statement: str, parameters: Any, context: Any = None) -> None:
        """Run a statement with parameters `$1`, ..."""
        cast("Cursor", cursor).execute_numbered(statement, parameters)

    def do_executemany(
        self, cursor: Any, statement: str, parameters: Sequence[Any], context: Any = None
    ) -> None:
        """Run a statement with many sets of parameters."""
        cast("Cursor", cursor).executemany_numbered(statement, parameters)

    def do_execute_no_params(self, cursor: Any, statement: str, context: Any = None) -> None:
        """Run a statement as it is."""
        cast("Cursor", cursor).execute(statement)

    def do_ping(self, dbapi_connection: Any) -> bool:
        """Ask the database for a sign of life."""
        cast("Connection", dbapi_connection).ping()
        return True

    def is_disconnect(self, e: Any, connection: Any, cursor: Any) -> bool:
        """Whether an error means that the connection is of no use any more."""
        return isinstance(e, OperationalError) and e.sqlstate[:2] in ("08", "57") and e.sqlstate != "57014"

    def get_isolation_level_values(self, dbapi_conn: Any) -> Any:
        """Return the isolation levels there are."""
        return ["AUTOCOMMIT", "READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"]

    def set_isolation_level(self, dbapi_connection: Any, level: Any) -> None:
        """Set the isolation of the next transactions."""
        connection = cast("Connection", dbapi_connection)
        connection.rollback()
        connection.autocommit = level == "AUTOCOMMIT"
        connection.isolation_level = None if level == "AUTOCOMMIT" else cast("IsolationLevel", level)

    def reset_isolation_level(self, dbapi_conn: Any) -> None:
        """Set the isolation back to the engine's."""
        self.set_isolation_level(dbapi_conn, self._on_connect_isolation_level or self.default_isolation_level)

    def detect_autocommit_setting(self, dbapi_conn: Any) -> bool:
        """Whether each statement is a transaction of its own."""
        return cast("Connection", dbapi_conn).autocommit

    def set_readonly(self, connection: Any, value: bool) -> None:
        """Set whether the next transactions may only read."""
        cast("Connection", connection).read_only = value

    def get_readonly(self, connection: Any) -> bool:
        """Whether the next transactions may only read."""
        return cast("Connection", connection).read_only

    def do_terminate(self, dbapi_connection: Any) -> None:
        """Close a connection that is of no use any more."""
        cast("Connection", dbapi_connection).close()
