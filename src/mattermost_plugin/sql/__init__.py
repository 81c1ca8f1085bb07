"""SQL on Mattermost's database: a PEP 249 module, and engines of SQLAlchemy.

::

    from mattermost_plugin import Plugin, sql


    class Polls(Plugin):
        def on_activate(self) -> None:
            with sql.connect(self) as connection:
                connection.execute("CREATE TABLE IF NOT EXISTS polls_answers (poll text, answer text)")

With the extra `sql` (SQLAlchemy 2), `create_engine(plugin)` is all that an engine needs. Statements go
through the Mattermost server, which lends connections of its own pool to the plugin: nothing is to be
configured. Every connection blocks, also in an `AsyncPlugin`: use it there in worker threads, as with
`asyncio.to_thread`.
"""

from __future__ import annotations

from datetime import date as Date  # noqa: N812 - the name is PEP 249's
from datetime import datetime as Timestamp  # noqa: N812
from datetime import time as Time  # noqa: N812
from datetime import timezone as _timezone
from typing import TYPE_CHECKING

from mattermost_plugin.errors import (
    DatabaseError,
    DataError,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
)
from mattermost_plugin.errors import SQLError as Error
from mattermost_plugin.sql._connect import connect, create_engine
from mattermost_plugin.sql._connection import Connection
from mattermost_plugin.sql._cursor import Cursor
from mattermost_plugin.sql._values import BINARY, DATETIME, NUMBER, ROWID, STRING

if TYPE_CHECKING:
    from mattermost_plugin.sql._prepared import PreparedStatement

__all__ = [
    "BINARY",
    "DATETIME",
    "NUMBER",
    "ROWID",
    "STRING",
    "Binary",
    "Connection",
    "Cursor",
    "DataError",
    "DatabaseError",
    "Date",
    "DateFromTicks",
    "Error",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "NotSupportedError",
    "OperationalError",
    "PreparedStatement",
    "ProgrammingError",
    "Time",
    "TimeFromTicks",
    "Timestamp",
    "TimestampFromTicks",
    "Warning",
    "apilevel",
    "connect",
    "create_engine",
    "paramstyle",
    "threadsafety",
]

apilevel = "2.0"
threadsafety = 2
paramstyle = "pyformat"

Binary = bytes
Warning = Warning  # noqa: A001, PLW0127 - the name is PEP 249's


def DateFromTicks(ticks: float) -> Date:  # noqa: N802 - the name is PEP 249's
    """Return the date in UTC of a time in seconds since 1970."""
    return Timestamp.fromtimestamp(ticks, _timezone.utc).date()


def TimeFromTicks(ticks: float) -> Time:  # noqa: N802
    """Return the time of day in UTC of a time in seconds since 1970."""
    return Timestamp.fromtimestamp(ticks, _timezone.utc).time()


def TimestampFromTicks(ticks: float) -> Timestamp:  # noqa: N802
    """Return the moment of a time in seconds since 1970."""
    return Timestamp.fromtimestamp(ticks, _timezone.utc)


def __getattr__(name: str) -> object:
    if name == "PreparedStatement":
        from mattermost_plugin.sql._prepared import PreparedStatement

        return PreparedStatement
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
