"""Where to listen and where to connect."""

from __future__ import annotations

import os
import socket
import struct
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from mattermost_plugin._forks import add_socket
from mattermost_plugin._logger import get_logger

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

__all__ = [
    "AGAIN",
    "Listener",
    "PeerCredentials",
    "Target",
    "connect_unix",
    "describe_peer",
    "listening_tcp",
    "listening_unix",
    "peer_credentials",
    "set_no_delay",
]


#: Seconds until it is tried again to connect to a server that has no room for a client now.
AGAIN: Final = 0.001

logger: Final = get_logger("mattermost_plugin.grpc")


class Target(NamedTuple):
    """An address to connect to.

    Attributes:
        family: AF_UNIX or AF_UNSPEC.
        address: path, or host and port.
        authority: what requests carry as `:authority`.
    """

    family: int
    address: str | tuple[str, int]
    authority: str

    @classmethod
    def parse(cls, text: str) -> Target:
        """Parse "unix:/path" or "host:port"; IPv6 hosts stand in brackets.

        Raises:
            ValueError: it is neither.
        """
        if text.startswith("unix:"):
            path = text[5:]
            path = path.removeprefix("//")
            if not path:
                raise ValueError(f"{text!r} names no socket")
            return cls(socket.AF_UNIX, path, "localhost")
        host, colon, port = text.rpartition(":")
        if not colon or not port.isdigit() or int(port) > 0xFFFF:
            raise ValueError(f"{text!r} is neither unix:PATH nor HOST:PORT")
        return cls(socket.AF_UNSPEC, (host.strip("[]"), int(port)), text)


def listening_unix(path: str) -> socket.socket:
    """Return a listening Unix socket that only its owner may connect to.

    A socket file left at `path` by a process that is gone is replaced.
    """
    listener = add_socket(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
    try:
        _remove_stale(Path(path))
        listener.bind(path)
        Path(path).chmod(0o600)
        listener.listen(128)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener


def _remove_stale(path: Path) -> None:
    if not path.exists():
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()


def listening_tcp(host: str, port: int) -> socket.socket:
    """Return a listening TCP socket; port 0 takes a free one."""
    info = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    listener = add_socket(socket.socket(info[0], socket.SOCK_STREAM))
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(info[4])
        listener.listen(128)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener


def connect_unix(path: str) -> socket.socket | None:
    """Return a connected socket that does not block; None: as many clients as the server allows wait already.

    There is no way to wait for that to change but to try again, `AGAIN` seconds later.

    Raises:
        OSError: there is no server.
    """
    sock = add_socket(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
    try:
        sock.setblocking(False)
        sock.connect(path)
    except BlockingIOError:
        sock.close()
        return None
    except BaseException:
        sock.close()
        raise
    return sock


def set_no_delay(sock: socket.socket) -> None:
    """Send small messages on TCP at once."""
    if sock.family in (socket.AF_INET, socket.AF_INET6):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def describe_peer(sock: socket.socket) -> str:
    """Return an accepted connection's client as gRPC writes it: "unix:" or "ipv4:host:port"."""
    if sock.family == socket.AF_UNIX:
        return "unix:"
    host, port = sock.getpeername()[:2]
    return f"ipv6:[{host}]:{port}" if sock.family == socket.AF_INET6 else f"ipv4:{host}:{port}"


class PeerCredentials(NamedTuple):
    """Who is at the other end of a Unix socket; `pid` is None where the system does not tell."""

    pid: int | None
    uid: int
    gid: int


def peer_credentials(sock: Any) -> PeerCredentials:
    """Return who connected through a Unix socket, as the kernel saw it.

    Raises:
        OSError: not a Unix socket, or a system that does not tell.
    """
    if not isinstance(sock, socket.socket):  # uvloop's cannot tell
        with socket.socket(fileno=os.dup(sock.fileno())) as duplicate:
            return peer_credentials(duplicate)
    if sys.platform == "linux":
        raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("=3i"))
        return PeerCredentials(*struct.unpack("=3i", raw))
    elif sys.platform == "darwin":  # noqa: RET505 - the type checker follows this form
        # struct xucred: version, uid, number of groups, groups. LOCAL_PEERCRED of <sys/un.h>, at level
        # SOL_LOCAL.
        raw = sock.getsockopt(0, 1, 76)
        _version, uid, count, gid = struct.unpack_from("=IIhxxI", raw)
        return PeerCredentials(None, uid, gid if count else -1)
    else:
        raise OSError(f"peer credentials are not available on {sys.platform}")


class Listener(NamedTuple):
    """A socket that a server listens on.

    Attributes:
        socket: the socket.
        ssl_context: for TLS; None: none.
        accept: asked about each client of a Unix socket; None: all are accepted.
        path: a Unix socket's file, to be removed.
    """

    socket: socket.socket
    ssl_context: ssl.SSLContext | None
    accept: Callable[[PeerCredentials], bool] | None = None
    path: str | None = None

    def accepts(self, client: Any) -> bool:
        """Return whether a client that has connected is welcome."""
        if self.accept is None:
            return True
        credentials = peer_credentials(client)
        if self.accept(credentials):
            return True
        logger.warning("A connection of %s is not accepted", credentials)
        return False

    def close(self) -> None:
        """Listen no more."""
        self.socket.close()
        if self.path is not None:
            Path(self.path).unlink(missing_ok=True)
