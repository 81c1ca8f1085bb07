"""Brings the plugin's tables to the version that is needed, with Alembic."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_MIGRATIONS = Path(__file__).parent / "migrations"


class SchemaError(Exception):
    """The tables are of no version that this version of the plugin knows."""


def upgrade(engine: Engine) -> None:
    """Make the tables, or bring those of an earlier version of the plugin up to date, with what is in them.

    Raises:
        SchemaError: They are of a later version of the plugin.
    """
    with engine.begin() as connection:
        try:
            command.upgrade(_config(connection), "head")
        except CommandError as error:
            known = ScriptDirectory(str(_MIGRATIONS)).get_current_head()
            raise SchemaError(
                "The tables are of a later version of this plugin. Install that, or have it take them back "
                f"first with '/poll downgrade {known}' ({error})"
            ) from error


def downgrade(engine: Engine, revision: str) -> None:
    """Take the tables back to what an earlier version of the plugin needs.

    Raises:
        SchemaError: There is no such version.
    """
    with engine.begin() as connection:
        try:
            command.downgrade(_config(connection), revision)
        except CommandError as error:
            raise SchemaError(str(error)) from error


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    return config
