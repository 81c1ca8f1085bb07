"""SQLAlchemy's engine over a plugin's connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine
from sqlalchemy.dialects import registry

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

    from mattermost_plugin.sql._connection import Connection

__all__ = ["engine_of"]

URL = "postgresql+mattermost_plugin://"

# Connections of the server's own pool, so not many are kept.
_POOL = {"pool_size": 2, "max_overflow": 3}

registry.register("postgresql.mattermost_plugin", "mattermost_plugin.sql._dialect", "MattermostDialect")


def engine_of(opened: Callable[[], Connection], options: dict[str, Any]) -> Engine:
    """Return an engine whose connections a function opens."""
    pool = {} if "poolclass" in options or "pool" in options else _POOL
    return create_engine(URL, **{"creator": opened, **pool, **options})
