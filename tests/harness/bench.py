"""Brings a whole Mattermost up, from sources to a running server, and takes it down again."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from tests.harness.build import build_server
from tests.harness.guardian import Guardian
from tests.harness.postgres import Postgres
from tests.harness.server import MattermostServer

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from tests.harness.progress import Progress

__all__ = ["TestBench"]


class TestBench:
    """One PostgreSQL and any number of Mattermost servers on it; a context manager.

    Args:
        progress: Hears what takes long; None writes to standard error.

    Attributes:
        directory: A temporary folder that is removed in the end.
    """

    __test__ = False  # the name is no invitation to pytest

    def __init__(self, progress: Progress | None = None) -> None:
        self._program = build_server(progress)
        self._servers = 0
        with ExitStack() as stack:
            self._guardian = stack.enter_context(Guardian())
            self.directory = Path(tempfile.mkdtemp(prefix="mattermost-"))
            self._guardian.watch_directory(self.directory)
            stack.callback(self._remove_directory)
            self._postgres = Postgres(self.directory / "postgres", self._guardian)
            stack.callback(self._postgres.close)
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start_server(self, *, port: int = 0) -> MattermostServer:
        """Start a server with an empty database; it is stopped with the bench unless it is stopped before."""
        self._servers += 1
        name = f"mattermost_{self._servers}"
        directory = self.directory / name
        directory.mkdir()
        for folder in ("files", "plugins", "client-plugins"):
            (directory / folder).mkdir()
        database = self._postgres.create_database(name)
        server = MattermostServer(self._program, directory, database, self._guardian, port=port)
        return self._stack.enter_context(server)

    def restart_database(self) -> None:
        """Stop PostgreSQL, which ends its connections, and start it again."""
        self._postgres.restart()

    def query(self, server: MattermostServer, statement: str) -> list[list[str]]:
        """Ask the database of a server, past the server; return the rows as text."""
        return self._postgres.query(server.directory.name, statement)

    def close(self) -> None:
        """Stop everything and remove every file."""
        self._stack.close()

    def _remove_directory(self) -> None:
        shutil.rmtree(self.directory)
        self._guardian.release_directory(self.directory)
