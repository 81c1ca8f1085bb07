"""A PostgreSQL, and the way to it that a plugin has, without a Mattermost server: see its Go part."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from mattermost_plugin._grpc.threads import Channel
from mattermost_plugin._runtime.faces import ChannelTransport
from mattermost_plugin.sql._driver import Driver
from tests.harness.guardian import Guardian
from tests.harness.postgres import Postgres
from tests.sql.replica import Replica

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

ROOT = Path(__file__).resolve().parents[2]


class DatabaseHost:
    """One PostgreSQL with a database `mattermost`, served as `Driver`; a context manager.

    Args:
        directory: For its files; must exist.
        with_replica: Whether there is a replica of it, too.

    Attributes:
        driver: What `mattermost_plugin.sql` works with.
        socket: Where it is served.
    """

    def __init__(self, directory: Path, *, with_replica: bool = False) -> None:
        program = directory / "database"
        subprocess.run(
            ["go", "build", "-o", program, "./internal/contracttest/database"], cwd=ROOT / "go", check=True
        )
        with ExitStack() as stack:
            guardian = stack.enter_context(Guardian())
            self.postgres = Postgres(directory / "postgres", guardian)
            stack.callback(self.postgres.close)
            self.source = self.postgres.create_database("mattermost")
            self.socket = directory / "driver.sock"
            command = [program, "-source", self.source, "-socket", self.socket]
            if with_replica:
                replica = Replica(self.postgres, directory / "replica", guardian)
                stack.callback(replica.close)
                command += ["-replica", replica.address("mattermost")]
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.callback(self._stop)
            assert self._read() == "ready"
            self._transport = ChannelTransport(Channel(f"unix:{self.socket}"))
            stack.callback(self._transport.close)
            self.driver = Driver(self._transport)
            self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def run_script(self, statements: str) -> None:
        """Run statements in the database past the driver, as an administrator."""
        self.postgres._run(f"\\c mattermost\n{statements}")

    def end_session(self) -> None:
        """Release what is open, as the host does when a plugin process has ended."""
        assert self._process.stdin is not None
        self._process.stdin.write("release\n")
        self._process.stdin.flush()
        assert self._read() == "released"

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def _stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(20) == 0
        assert self._process.stdout is not None
        self._process.stdout.close()
