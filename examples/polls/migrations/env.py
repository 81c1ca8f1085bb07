"""What Alembic runs before the migrations: see `schema.py`, which hands the connection over."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, func, select

from tables import VERSION_TABLE, Base

# Any number that nothing else on the server locks.
_LOCK = 0x706F6C6C73


def _migrate(connection: Connection) -> None:
    # Servers of a cluster start their plugins at the same time.
    connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    context.configure(connection=connection, target_metadata=Base.metadata, version_table=VERSION_TABLE)
    with context.begin_transaction():
        context.run_migrations()


_migrate(context.config.attributes["connection"])
