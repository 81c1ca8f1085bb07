"""Runs one Mattermost server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from tests.harness.log import LogTimeoutError, ServerLog
from tests.harness.rest import Json, RestClient
from tests.harness.settings import server_settings

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from tests.harness.build import ServerProgram
    from tests.harness.guardian import Guardian

__all__ = ["LeftoverProcessesError", "MattermostServer", "ServerStartError"]

PASSWORD = "Harness-0123"
"""Of every user the harness creates; long enough for the server's rules, and no secret."""

START_TIMEOUT = 90.0
STOP_TIMEOUT = 30.0
LEFTOVER_TIMEOUT = 5.0


class ServerStartError(Exception):
    """The server did not come up; the message shows the end of its log."""


class LeftoverProcessesError(AssertionError):
    """Processes that the server had started were still there after it had shut down."""


class MattermostServer:
    """A running server with one administrator; a context manager that shuts it down.

    Args:
        program: What to run.
        directory: An existing, empty folder for everything the server writes.
        database: The address of an empty PostgreSQL database.
        guardian: Ends the server if this process is killed.
        port: The port to listen on; 0 for any that is free.

    Attributes:
        log: The server's log.
        url: The server's address.
        admin: A session of the system administrator.
        pid: The id of the server's process.

    Raises:
        ServerStartError: The server ended, or did not listen in time.
    """

    def __init__(
        self, program: ServerProgram, directory: Path, database: str, guardian: Guardian, *, port: int = 0
    ) -> None:
        self._guardian = guardian
        self._clients: list[RestClient] = []
        self._program = program
        self._database = database
        self.directory = directory
        self._start(port)
        try:
            self.admin = self._create_admin()
        except BaseException:
            self.kill()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def log_in(self, username: str, password: str = PASSWORD) -> RestClient:
        """Return a new session of a user; it is closed with the server."""
        client = RestClient(self.url)
        self._clients.append(client)
        client.log_in(username, password)
        return client

    def create_user(self, username: str, *, team: Json | None = None, password: str = PASSWORD) -> RestClient:
        """Create a user, add it to `team` if one is given, and return a session of the user."""
        self.admin.post("users", _new_user(username, password))
        client = self.log_in(username, password)
        if team is not None:
            member = {"team_id": team["id"], "user_id": client.user_id}
            self.admin.post(f"teams/{team['id']}/members", member)
        return client

    def create_team(self, name: str, display_name: str = "") -> Json:
        """Create an open team."""
        team: Json = self.admin.post(
            "teams", {"name": name, "display_name": display_name or name, "type": "O"}
        )
        return team

    def create_channel(self, team: Json, name: str, *members: RestClient, display_name: str = "") -> Json:
        """Create a public channel with the administrator and `members` in it."""
        fields = {"team_id": team["id"], "name": name, "display_name": display_name or name, "type": "O"}
        channel: Json = self.admin.post("channels", fields)
        for member in members:
            self.admin.post(f"channels/{channel['id']}/members", {"user_id": member.user_id})
        return channel

    def descendants(self) -> list[psutil.Process]:
        """Return the processes that the server and its plugins have started and that still run."""
        try:
            children: list[psutil.Process] = psutil.Process(self.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []
        return children

    def restart(self) -> None:
        """Shut the server down and start it again at the same address; sessions stay valid.

        The log begins anew.

        Raises:
            LeftoverProcessesError: A process that it had started survived the shutdown; it is killed.
            ServerStartError: It did not come up again.
        """
        port = int(self.url.rpartition(":")[2])
        self._shut_down()
        self._start(port)

    def wait(self) -> None:
        """Wait until the server ends by itself."""
        self._process.wait()

    def stop(self) -> None:
        """Shut the server down as an administrator does, and see that nothing of it is left.

        Raises:
            LeftoverProcessesError: A process it had started survived; it is killed.
        """
        if self._released:
            return
        try:
            self._shut_down()
        finally:
            self._close_clients()

    def _start(self, port: int) -> None:
        self._process = subprocess.Popen(
            [self._program.executable, "server"],
            cwd=self.directory,
            env=_environment(self.directory, self._database, port),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # Ctrl-C must reach the harness only, which then shuts the server down in order.
            start_new_session=True,
        )
        self._released = False
        self._guardian.watch_group(self._process.pid)
        self.pid = self._process.pid
        assert self._process.stdout is not None
        self.log = ServerLog(self._process.stdout, self.directory / "server.log")
        try:
            self.url = self._wait_until_listening()
        except BaseException:
            self.kill()
            raise

    def _shut_down(self) -> None:
        started = self.descendants()
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        _, alive = psutil.wait_procs(started, timeout=LEFTOVER_TIMEOUT)
        names = [f"{process.pid} {process.name()}" for process in alive if process.is_running()]
        self._release()
        if names:
            raise LeftoverProcessesError(f"still running after the server's shutdown: {', '.join(names)}")

    def kill(self) -> None:
        """End the server and everything it started, at once."""
        if self._process.returncode is None:
            self._process.kill()
            self._process.wait()
        self._release()
        self._close_clients()

    def _release(self) -> None:
        # Plugins run in the server's process group; what the server left behind is still in it.
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._guardian.release_group(self.pid)
        self._released = True
        self.log.join()

    def _close_clients(self) -> None:
        for client in self._clients:
            client.close()
        self._clients.clear()

    def _wait_until_listening(self) -> str:
        try:
            record = self.log.wait_for("Server is listening on", timeout=START_TIMEOUT)
        except LogTimeoutError as error:
            raise ServerStartError(f"the Mattermost server did not start: {error}") from error
        return f"http://{record.message.rsplit(' ', 1)[1]}"

    def _create_admin(self) -> RestClient:
        client = RestClient(self.url)
        self._clients.append(client)
        # The first user of a server becomes its administrator.
        client.post("users", _new_user("admin", PASSWORD))
        client.log_in("admin", PASSWORD)
        client.patch_config({"ServiceSettings": {"SiteURL": self.url}})
        return client


def _new_user(username: str, password: str) -> Json:
    return {"username": username, "email": f"{username}@example.com", "password": password}


def _environment(directory: Path, database: str, port: int) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in {"HOME", "LANG", "LC_ALL", "TMPDIR"}}
    # Plugins are started with the interpreter of the tests, without the packages installed for the tests:
    # a bundle must bring what it needs.
    interpreter = Path(sys.base_prefix) / "bin"
    return {
        **kept,
        "PATH": f"{interpreter}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        **server_settings(directory, database, port),
    }
