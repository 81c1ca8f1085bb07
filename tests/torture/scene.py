"""The server, the plugins and what faults need of them."""

from __future__ import annotations

import random
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from mattermost_plugin.cli import build_bundle
from tests.harness import InstalledPlugin
from tests.torture.ledger import Window
from tests.torture.outage import Prober

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self

    from tests.harness import MattermostServer, RestClient, TestBench

__all__ = ["Scene", "Target"]

#: Seconds after a post's response in which its notification is taken to be in flight.
IN_FLIGHT = 1.0
#: Seconds to wait for a plugin to answer again, beyond every limit that restarts it.
RETURN = 400.0


class Target:
    """One plugin under test.

    Attributes:
        name: "threads" or "asyncio".
        plugin: The plugin.
        prober: Tells when it answers again.
        windows: When its process was made to die.
    """

    def __init__(self, name: str, plugin: InstalledPlugin, prober: Prober, server: MattermostServer) -> None:
        self.name = name
        self.plugin = plugin
        self.prober = prober
        self.windows: list[Window] = []
        self._server = server

    def python(self) -> psutil.Process:
        """Return the Python process; wait until there is one."""
        return self._wait_for(lambda process: Path(process.exe()).name.startswith("python"))

    def bridge(self) -> psutil.Process:
        """Return the bridge; wait until there is one."""
        return self._wait_for(lambda process: process.ppid() == self._server.pid)

    def miss(self, begin: float, end: float | None = None) -> None:
        """Note that notifications may be missed from a time on; without `end`, those in flight then."""
        self.windows.append(Window(begin - IN_FLIGHT, begin if end is None else end))

    def kill(self, process: psutil.Process) -> float:
        """Kill a process and return when."""
        when = time.monotonic()
        with suppress(psutil.NoSuchProcess):
            process.kill()
        self.miss(when, time.monotonic())
        return when

    def wait_for_service(self, since: float, *, without: int = 0) -> float:
        """Wait until the plugin answers again, and return the seconds it was away."""
        seconds = self.prober.wait_for_service(since, RETURN, without=without)
        if seconds is None:
            log = "\n".join(map(str, self.plugin.log()[-20:]))
            raise AssertionError(
                f"{self.name} did not answer for {RETURN:g} s: {self.plugin.status()}\n{log}"
            )
        return seconds

    def _wait_for(self, wanted: Callable[[psutil.Process], bool]) -> psutil.Process:
        deadline = time.monotonic() + RETURN
        while time.monotonic() < deadline:
            for process in self.plugin.processes():
                with suppress(psutil.Error):
                    if wanted(process):
                        return process
            time.sleep(0.01)
        raise AssertionError(f"{self.name}: there is no such process: {self.plugin.status()}")


class Scene:
    """A server with both plugins running; a context manager.

    Args:
        bench: Where the server runs.
        server: The server.
        bundles: Where to write the bundles.
        seed: Makes the same choices again.

    Attributes:
        targets: The plugins.
        users: Who posts.
        channel: Where they post.
        actor: A user of the faults' own.
    """

    def __init__(self, bench: TestBench, server: MattermostServer, bundles: Path, *, seed: int = 1) -> None:
        self.bench = bench
        self.server = server
        self.random = random.Random(seed)
        self._bundles = bundles
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        team = self.server.create_team("torture")
        self.users: list[RestClient] = [
            self.server.create_user(f"user{number}", team=team) for number in range(8)
        ]
        self.actor = self.server.create_user("actor", team=team)
        self.channel = self.server.create_channel(team, "torture", *self.users, self.actor)
        # Posts of the system must not reach the plugins' records.
        self.targets = [self._install(name) for name in ("threads", "asyncio")]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def record(self, target: Target) -> Path:
        """Return the file in which a plugin notes its notifications."""
        return self.server.directory / f"torture-{target.name}.record"

    def _install(self, name: str) -> Target:
        bundle = build_bundle(Path(__file__).parent / "plugins" / name, output=self._bundles)
        plugin = self._stack.enter_context(InstalledPlugin(self.server, bundle))
        plugin.enable()
        prober = self._stack.enter_context(Prober(self.server.url, plugin.id))
        return Target(name, plugin, prober, self.server)
