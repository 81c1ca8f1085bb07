"""The socket of a client's connection, as threads use it that wait."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import time
from typing import TYPE_CHECKING, Final

from mattermost_plugin._forks import add_socket
from mattermost_plugin._grpc import addresses
from mattermost_plugin._grpc.calls import DEADLINE_EXCEEDED
from mattermost_plugin._grpc.patience import LOOK, give_way
from mattermost_plugin._grpc.status import RpcError, StatusCode

if TYPE_CHECKING:
    from mattermost_plugin._grpc.addresses import Target
    from mattermost_plugin._grpc.patience import Patience

__all__ = ["FRESH", "ClientSocket", "connect"]

#: Seconds after which a connection that was idle is looked at before it is used: nobody has read from it
#: meanwhile.
FRESH: Final = 0.5

_SMALL_READ: Final = 64 << 10
_LARGE_READ: Final = 512 << 10
_NO_WAIT: Final = socket.MSG_DONTWAIT
_MANY_SECONDS: Final = 5


def connect(target: Target, deadline: float | None) -> ClientSocket:
    """Connect to a server.

    Raises:
        RpcError: UNAVAILABLE if there is none, DEADLINE_EXCEEDED if it does not answer in time.
    """
    try:
        if isinstance(target.address, str):
            sock = _connect_unix(target.address, deadline)
        else:
            timeout = None if deadline is None else max(0.001, deadline - time.monotonic())
            sock = add_socket(socket.create_connection(target.address, timeout))
            addresses.set_no_delay(sock)
    except TimeoutError:
        raise RpcError(DEADLINE_EXCEEDED.code, DEADLINE_EXCEEDED.message) from None
    except OSError as error:
        raise RpcError(StatusCode.UNAVAILABLE, f"cannot connect to {target.address}: {error}") from error
    sock.settimeout(None)
    return ClientSocket(sock)


def _connect_unix(path: str, deadline: float | None) -> socket.socket:
    while True:
        sock = addresses.connect_unix(path)
        if sock is not None:
            return sock
        if deadline is not None and time.monotonic() >= deadline:
            raise TimeoutError
        time.sleep(addresses.AGAIN)


class ClientSocket:
    """Reads and writes. One thread reads at a time, and one writes."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._read_size = _SMALL_READ
        self._limit = 0.0

    def close(self) -> None:
        """Close it."""
        self._sock.close()

    def break_off(self) -> None:
        """Wake a thread that reads, with the end of the connection."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def send(self, data: bytes | memoryview) -> int:
        """Write what can be written now, and return how much.

        Raises:
            OSError: the connection is broken.
        """
        try:
            return self._sock.send(data, _NO_WAIT)
        except (BlockingIOError, InterruptedError):
            return 0

    def receive(self, deadline: float | None) -> bytes | None:
        """Wait for octets; none mean that there will be no more, None that it may be the deadline.

        The kernel keeps the time: to poll before each read would give up the interpreter's lock once more.
        """
        seconds = 0.0
        if deadline is not None:
            seconds = deadline - time.monotonic()
            if seconds <= 0:
                return None
            if seconds >= _MANY_SECONDS:
                # Whole seconds as long as there are many, so that calls with the same timeout need not set
                # it anew.
                seconds = float(int(seconds))
        if seconds != self._limit:
            self._limit = seconds
            micros = 0 if not seconds else max(int(seconds * 1_000_000), 1)
            value = struct.pack("@ll", *divmod(micros, 1_000_000))
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, value)
        try:
            return self._sized(self._sock.recv(self._read_size))
        except BlockingIOError:
            return None
        except OSError:
            return b""

    def receive_now(self) -> bytes | None:
        """Read what there is; none mean that there will be no more, None that there is nothing now."""
        try:
            return self._sized(self._sock.recv(self._read_size, _NO_WAIT))
        except (BlockingIOError, InterruptedError):
            return None
        except OSError:
            return b""

    def look(self, patience: Patience) -> bytes | None:
        """Look for octets for a moment, if that has paid; as `receive_now`."""
        if not patience.wants_to_look():
            return None
        until = time.perf_counter() + LOOK
        while time.perf_counter() < until:
            data = self.receive_now()
            if data is not None:
                patience.found()
                return data
            give_way()
        patience.gave_up()
        return None

    def _sized(self, data: bytes) -> bytes:
        if len(data) == self._read_size:
            self._read_size = _LARGE_READ
        elif self._read_size > _SMALL_READ:
            self._read_size = max(_SMALL_READ, self._read_size >> 1)
        return data

    def wait(self, events: int, deadline: float | None) -> int:
        """Wait until it is ready and return for what, as `select.poll` says it; 0 at the deadline."""
        poll = select.poll()
        poll.register(self._sock, events)
        if deadline is None:
            ready = poll.poll()
        else:
            remaining = deadline - time.monotonic()
            ready = poll.poll(remaining * 1000 + 1) if remaining > 0 else []
        return ready[0][1] if ready else 0
