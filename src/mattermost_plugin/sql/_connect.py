"""From a plugin to connections and engines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mattermost_plugin.errors import NotConnected, ProgrammingError
from mattermost_plugin.sql._connection import Connection

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from mattermost_plugin.plugin import AsyncPlugin, Plugin
    from mattermost_plugin.sql._driver import Driver

__all__ = ["connect", "create_engine"]


def connect(
    plugin: Plugin | AsyncPlugin,
    *,
    replica: bool = False,
    autocommit: bool = False,
    statement_timeout: float | None = None,
) -> Connection:
    """Open a connection to Mattermost's database.

    Args:
        plugin: The plugin; it must be connected, so from `on_activate` on.
        replica: Connect to a read replica, if the server has one, instead of the master.
        autocommit: Each statement is a transaction of its own.
        statement_timeout: Seconds after which the database gives a statement up; None for its own setting. A
            call itself has no time limit.

    Raises:
        NotConnected: There is no server, or it offers no database.
        OperationalError: The database cannot be reached, or its pool is exhausted.
    """
    return open_connection(
        driver_of(plugin), replica=replica, autocommit=autocommit, statement_timeout=statement_timeout
    )


def create_engine(plugin: Plugin | AsyncPlugin, *, replica: bool = False, **options: Any) -> Engine:
    """Return a SQLAlchemy engine on Mattermost's database. Needs the extra `sql`.

    Args:
        plugin: The plugin. The engine can be made before it is connected.
        replica: Connect to a read replica, if the server has one, instead of the master.
        options: What `sqlalchemy.create_engine` takes beside the URL. Its pool takes connections of the
            server's own pool, so it is small: `pool_size` is 2 and `max_overflow` 3 unless said otherwise.

    Raises:
        ModuleNotFoundError: SQLAlchemy is not installed.
    """
    try:
        from mattermost_plugin.sql._engine import engine_of
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != "sqlalchemy":
            raise
        raise ModuleNotFoundError(
            "create_engine needs SQLAlchemy: add mattermost-plugin[sql] to the plugin's requirements",
            name=error.name,
        ) from None

    def opened() -> Connection:
        return open_connection(driver_of(plugin), replica=replica, parse_json=False)

    return engine_of(opened, options)


def open_connection(
    driver: Driver,
    *,
    replica: bool = False,
    autocommit: bool = False,
    statement_timeout: float | None = None,
    parse_json: bool = True,
) -> Connection:
    """Open a connection over a driver."""
    if statement_timeout is not None and statement_timeout <= 0:
        raise ProgrammingError("statement_timeout is a positive number of seconds")
    connection = Connection(driver, replica=replica, parse_json=parse_json)
    if statement_timeout is not None:
        try:
            driver.conn_exec(
                connection._id, f"SET statement_timeout = {max(round(statement_timeout * 1000), 1)}", ()
            )
        except BaseException:
            connection.close()
            raise
    connection.autocommit = autocommit
    return connection


def driver_of(plugin: Plugin | AsyncPlugin) -> Driver:
    """Return the driver of a plugin, which all its connections share."""
    source = plugin._database
    if source is None:
        raise NotConnected(
            "there is no connection to the server's database: it works from the first "
            "on_configuration_change "
            "(just before on_activate) to the end of on_deactivate"
        )
    return source.driver()
