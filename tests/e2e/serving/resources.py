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
        """Return how many sockets and other descriptors the processes hold."""
        processes = plugin.processes()
        return _Held(
            sum(len(process.net_connections("unix")) for process in processes),
            sum(process.num_fds() for process in processes),
        )

    @staticmethod
    def wait_for(plugin: InstalledPlugin, before: _Held) -> None:
        """Wait until the processes hold no more than before, but for a few idle connections."""
        idle = 4
        deadline = time.monotonic() + 20
        while True:
            held = Resources.of(plugin)
            if held.sockets <= before.sockets + idle and held.descriptors <= before.descriptors + idle:
                return
            assert time.monotonic() < deadline, f"{held} after {before}"
            time.sleep(0.1)
