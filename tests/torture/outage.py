"""How long a plugin was away after a fault."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["Prober"]

INTERVAL = 0.02


class Prober:
    """Asks a plugin again and again which process answers; a context manager.

    Args:
        url: The server's address.
        plugin: The plugin's id.
    """

    def __init__(self, url: str, plugin: str) -> None:
        self._client = httpx.Client(base_url=f"{url}/plugins/{plugin}", timeout=5, trust_env=False)
        self._answers: list[tuple[float, int]] = []  # when it was asked, and the process that answered
        self._changed = threading.Condition()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._probe, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        self._client.close()

    def wait_for_service(self, since: float, timeout: float, *, without: int = 0) -> float | None:
        """Wait until the plugin answers what it was asked after `since`.

        Args:
            since: A time of `time.monotonic()`.
            timeout: Seconds to wait.
            without: A process whose answers do not count.

        Returns:
            Seconds from `since` to the first request that was answered; None: there was none.
        """
        deadline = time.monotonic() + timeout
        with self._changed:
            while True:
                for asked, process in self._answers:
                    if asked >= since and process != without:
                        return asked - since
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    return None
                self._changed.wait(remaining)

    def _probe(self) -> None:
        while not self._over.wait(INTERVAL):
            asked = time.monotonic()
            try:
                response = self._client.get("/echo/probe")
            except httpx.TransportError:
                continue
            if response.status_code == httpx.codes.OK:
                with self._changed:
                    # Only the latest are asked for.
                    self._answers = [*self._answers[-500:], (asked, int(response.text.split()[-1]))]
                    self._changed.notify_all()
