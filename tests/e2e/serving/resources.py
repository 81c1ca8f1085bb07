"""What the processes of a plugin hold: memory, sockets, threads."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from tests.harness import InstalledPlugin

__all__ = ["Resources"]


class _Held(NamedTuple):
    sockets: int
    descriptors: int
    threads: int  # of Python
    processes: int

    def exceeds(self, before: _Held, spare: int) -> bool:
        return (
            self.sockets > before.sockets + spare
            or self.descriptors > before.descriptors + spare
            or self.threads > before.threads + spare
            or self.processes > before.processes
        )


class Resources:
    """Watches the memory of a plugin's processes (the bridge and Python) for a while.

    Attributes:
        growth: Bytes by which they grew at most, together.
    """

    def __init__(self, plugin: InstalledPlugin) -> None:
        self._processes = plugin.processes()
        assert len(self._processes) >= 2, "the bridge and Python"
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.growth = 0

    def __enter__(self) -> Self:
        self._before = self._resident()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _resident(self) -> int:
        return sum(process.memory_info().rss for process in self._processes)

    def _watch(self) -> None:
        while not self._over.wait(0.05):
            self.growth = max(self.growth, self._resident() - self._before)

    @staticmethod
    def of(plugin: InstalledPlugin) -> _Held:
        """Return how many sockets, other descriptors and threads the processes hold.

        Threads of the bridge are not counted: Go keeps those it once needed. What it would leave are
        goroutines, which the tests in Go count.
        """
        processes = plugin.processes()
        return _Held(
            sum(len(process.net_connections("all")) for process in processes),
            sum(process.num_fds() for process in processes),
            sum(process.num_threads() for process in processes if process.name().startswith("python")),
            len(processes),
        )

    @staticmethod
    def wait_for(plugin: InstalledPlugin, before: _Held, spare: int = 4) -> None:
        """Wait until the processes hold no more than before.

        Args:
            plugin: Whose processes.
            before: What they held.
            spare: How many connections and threads may be kept for the next request. What leaves something
                behind should have been done more often.
        """
        deadline = time.monotonic() + 60
        while (held := Resources.of(plugin)).exceeds(before, spare):
            assert time.monotonic() < deadline, f"{held} after {before}"
            time.sleep(0.1)
