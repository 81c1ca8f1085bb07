"""Runs SQLAlchemy's suite for dialects against ours, whose connections a URL can open here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy.dialects.postgresql.provision  # noqa: F401 - what the suite has for PostgreSQL
from sqlalchemy.dialects import registry
from sqlalchemy.testing.plugin.pytestplugin import *  # noqa: F403 - how the suite asks to be set up
from sqlalchemy.testing.provision import post_configure_engine

import mattermost_plugin.sql._engine  # noqa: F401 - registers the dialect
from mattermost_plugin._grpc.threads import Channel
from mattermost_plugin._runtime.faces import ChannelTransport
from mattermost_plugin.sql._connect import open_connection
from mattermost_plugin.sql._dialect import MattermostDialect
from mattermost_plugin.sql._driver import Driver

if TYPE_CHECKING:
    from sqlalchemy.engine.url import URL

    from mattermost_plugin.sql import Connection

_drivers: dict[str, Driver] = {}


class SocketDialect(MattermostDialect):
    """Ours, with connections through the socket that the URL names."""

    supports_statement_cache = True

    def create_connect_args(self, url: URL) -> Any:
        return [url.query["socket"]], {}

    def connect(self, *arguments: Any, **_options: Any) -> Connection:  # type: ignore[override]
        socket = str(arguments[0])
        if socket not in _drivers:
            _drivers[socket] = Driver(ChannelTransport(Channel(f"unix:{socket}")))
        return open_connection(_drivers[socket], parse_json=False)


registry.impls["postgresql.mattermost_plugin"] = lambda: SocketDialect


@post_configure_engine.for_db("postgresql")
def _without_extensions(*_: object) -> None:
    """Create no extensions, as SQLAlchemy's own would: the PostgreSQL of the tests has none."""
