"""go-plugin's broker as a plugin needs it: the host announces an address under an id, a hook waits for it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from mattermost_plugin._logger import get_logger
from mattermost_plugin._runtime.wire import NO_MESSAGES, ConnInfo
from mattermost_plugin.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mattermost_plugin._grpc.threads import ServerCall

__all__ = ["BROKER_TIMEOUT", "Announcements", "Broker", "target_of"]

# Seconds to wait for an announcement; go-plugin's own hosts give up after 5.
BROKER_TIMEOUT = 10.0

logger = get_logger("mattermost_plugin.broker")


class Announcements:
    """What the host announced, by id. Not safe for threads by itself."""

    def __init__(self) -> None:
        self._by_id: dict[int, ConnInfo] = {}

    def add(self, message: bytes) -> None:
        """Take one message of the broker's stream; what is no announcement is logged and dropped."""
        try:
            info = ConnInfo.decode(message)
        except ValueError as error:
            logger.warning("The host sent a broken broker message: %s", error)
            return
        if info.knock:
            logger.warning("The host knocked, but this plugin did not agree to multiplexing")
            return
        self._by_id[info.service_id] = info

    def take(self, service_id: int) -> ConnInfo | None:
        """Return and forget what was announced under an id."""
        return self._by_id.pop(service_id, None)


class Broker:
    """Serves `plugin.GRPCBroker` on threads."""

    def __init__(self, on_streams_change: Callable[[int], None]) -> None:
        """Make a broker.

        Args:
            on_streams_change: Called with the number of open streams whenever it changes; the host holds one
                open for as long as it lives.
        """
        self._announcements = Announcements()
        self._changed = threading.Condition()
        self._on_streams_change = on_streams_change
        self._streams = 0

    def start_stream(self, requests: Iterator[bytes], _call: ServerCall) -> Iterator[bytes]:
        """Serve `StartStream`: take announcements until the host ends the stream."""
        self._count(1)
        try:
            for message in requests:
                with self._changed:
                    self._announcements.add(message)
                    self._changed.notify_all()
        finally:
            self._count(-1)
        yield from NO_MESSAGES

    def wait(self, service_id: int, timeout: float = BROKER_TIMEOUT) -> ConnInfo:
        """Return what the host announces under an id, now or within `timeout` seconds.

        Raises:
            Unavailable: It announced nothing in that time.
        """
        info: ConnInfo | None = None

        def announced() -> bool:
            nonlocal info
            info = self._announcements.take(service_id)
            return info is not None

        with self._changed:
            self._changed.wait_for(announced, timeout)
        if info is None:
            raise never_announced(service_id, timeout)
        return info

    def _count(self, change: int) -> None:
        with self._changed:
            self._streams += change
            streams = self._streams
        self._on_streams_change(streams)


def never_announced(service_id: int, timeout: float) -> Unavailable:
    """Return the error for an id whose address did not come."""
    return Unavailable(
        f"the host announced no address under broker id {service_id} within {timeout:g} seconds"
    )


def target_of(info: ConnInfo) -> str:
    """Return the channel target of an announced address.

    Raises:
        Unavailable: The address is of a kind that plugins do not connect to.
    """
    if info.network == "unix":
        return f"unix:{info.address}"
    raise Unavailable(
        f"the host serves its API at {info.network}:{info.address}; plugins connect to Unix sockets"
    )
