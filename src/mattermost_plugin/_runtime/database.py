"""Where the server's database is reached; the way there is built when it is first used."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from mattermost_plugin import _forks
from mattermost_plugin.errors import UsedAfterFork

if TYPE_CHECKING:
    from collections.abc import Callable
    from ssl import SSLContext

    from mattermost_plugin._runtime.faces import ChannelTransport
    from mattermost_plugin.sql._driver import Driver

__all__ = ["Database"]


class Database:
    """The `Driver` service that the host announced; safe to use from many threads.

    It is called over blocking connections, whatever kind of plugin this is.
    """

    def __init__(self, target: str, client_context: Callable[[], SSLContext] | None) -> None:
        self._target = target
        self._client_context = client_context
        self._lock = threading.Lock()
        self._transport: ChannelTransport | None = None
        self._driver: Driver | None = None
        self._forked = False
        _forks.add(self)

    def after_fork(self) -> None:
        """Refuse to connect in a forked child."""
        self._forked = True
        self._lock = threading.Lock()

    def driver(self) -> Driver:
        """Return the driver, the same each time.

        Raises:
            UsedAfterFork: This is a forked child.
        """
        if self._forked:
            raise UsedAfterFork(_forks.FORKED)
        with self._lock:
            if self._driver is None:
                from mattermost_plugin._grpc.threads import Channel
                from mattermost_plugin._runtime.faces import ChannelTransport
                from mattermost_plugin.sql._driver import Driver

                context = self._client_context() if self._client_context is not None else None
                self._transport = ChannelTransport(Channel(self._target, ssl_context=context))
                self._driver = Driver(self._transport)
            return self._driver

    def close(self) -> None:
        """End the connections; the host closes what was open in the database."""
        with self._lock:
            if self._transport is not None:
                self._transport.close()
