"""One connection of a server whose handlers run on threads."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Final

from mattermost_plugin._grpc.calls import ready_call
from mattermost_plugin._grpc.cleartext import TLSFault, layer
from mattermost_plugin._grpc.connection import ConnectionState
from mattermost_plugin._grpc.server import ServerConnection
from mattermost_plugin._grpc.status import Status, StatusCode
from mattermost_plugin._grpc.threads.server_calls import ServerCall

if TYPE_CHECKING:
    import ssl

    from mattermost_plugin._grpc.streams import Stream
    from mattermost_plugin._grpc.threads.server import Server

__all__ = ["SocketConnection"]

_SMALL_READ: Final = 64 << 10
_LARGE_READ: Final = 512 << 10
_PEEK: Final = socket.MSG_PEEK | socket.MSG_DONTWAIT
#: What is read and thrown away after a connection error, so that the peer gets to see why.
_MAX_DISCARDED: Final = 1 << 20


class SocketConnection:
    """Moves octets between a connection and a socket, on whichever thread has them.

    `lock` guards the core and is held only while it computes. Nothing here waits for the peer: what the
    socket does not take is left to the thread that hears when it does.
    """

    def __init__(
        self, server: Server, sock: socket.socket, peer: str, context: ssl.SSLContext | None
    ) -> None:
        self.server = server
        self.peer = peer
        self.core = ServerConnection(server.options)
        self.lock = threading.RLock()
        self.fd = sock.fileno()
        self._sock = sock
        self._tls = layer(context, server_side=True)
        self._reading = threading.Lock()
        self._writing = threading.Lock()
        self._unsent: bytes | memoryview = b""
        self._read_size = _SMALL_READ
        self._discarded = 0
        self._closed = False

    def begin(self) -> None:
        """Send the preface and wait for the client's."""
        self.flush()
        self.server.poller.arm_read(self.fd)

    # ---- reading

    def on_readable(self) -> None:
        """Read, and hand calls that are ready to the server."""
        if not self._reading.acquire(blocking=False):
            return  # a late event for a socket of the same number; its reader arms it again
        try:
            self._read()
        except Exception:
            self._lost()
            raise
        finally:
            self._reading.release()
        if self._closed:
            return
        # Once it is armed, another thread may read while this one writes or runs a handler.
        if not self.server.put_off(self):
            self.server.poller.arm_read(self.fd)
        self.flush()
        if self.core.state is not ConnectionState.OPEN:
            self._end_if_done()

    def has_octets(self) -> bool:
        """Return whether there is something to read, if only the end."""
        try:
            self._sock.recv(1, _PEEK)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            pass  # reading tells
        return True

    def _read(self) -> None:
        try:
            data = self._sock.recv(self._read_size)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self._lost()
            return
        size = len(data)
        self._read_size = _LARGE_READ if size == self._read_size else max(_SMALL_READ, self._read_size >> 1)
        if self.core.state is ConnectionState.CLOSED:
            self._discarded += size
            if self._discarded > _MAX_DISCARDED:
                self._lost()
                return
        with self.lock:
            try:
                data = self._tls.decrypt(data)
            except TLSFault:
                self._lost()
                return
            for stream in self.core.receive(data):
                self._on_news(stream)

    def _on_news(self, stream: Stream) -> None:
        call: ServerCall | None = stream.owner
        if call is not None:
            call.on_news()
            return
        ready = ready_call(self.core, stream, self.server.handlers)
        if ready is None:
            return
        handler, message = ready
        stream.owner = call = ServerCall(self, stream, handler, message)
        self.server.backlog.append(call)

    # ---- writing

    def flush(self) -> None:
        """Write what can be written now.

        If another thread is writing, it takes along what this one has to say.
        """
        while self._unsent or self.core.has_output or self._tls.pending:
            if not self._writing.acquire(blocking=False):
                return
            try:
                complete = self._write()
            finally:
                self._writing.release()
            if not complete:
                # Only now: whoever hears of it must be able to write. With the lock, because another thread
                # may be just here, or about to close the socket.
                with self.lock:
                    if not self._closed:
                        self.server.poller.arm_write(self.fd)
                return

    def _write(self) -> bool:
        """Write until there is nothing left, and return True; False if the socket takes no more."""
        while True:
            data = self._unsent
            if not data:
                with self.lock:
                    data = self._tls.encrypt(self.core.data_to_send())
                    if self.core.writable:
                        self._wake_senders()
                if not data:
                    return True
            try:
                sent = self._sock.send(data)
            except (BlockingIOError, InterruptedError):
                sent = 0
            except OSError:
                # The reader hears of it as well, and ends the connection.
                self._unsent = b""
                self.abort()
                return True
            if sent < len(data):
                self._unsent = memoryview(data)[sent:]
                return False
            self._unsent = b""

    def on_writable(self) -> None:
        """Go on writing."""
        self.flush()
        self._end_if_done()

    def _wake_senders(self) -> None:
        writable, self.core.writable = self.core.writable, []
        for stream in writable:
            if stream.owner is not None:
                stream.owner.on_news()

    # ---- the end

    def shut_down(self) -> None:
        """Let running calls end, and close then."""
        with self.lock:
            self.core.shut_down()
        self.flush()

    def end_now(self) -> None:
        """Cancel all calls and close."""
        with self.lock:
            for stream in list(self.core.streams.values()):
                self.core.finish(stream, Status(StatusCode.UNAVAILABLE, "the server is stopping"))
                if stream.owner is not None:
                    stream.owner.on_news()
        self.flush()
        self.abort()

    def _end_if_done(self) -> None:
        core = self.core
        if self._unsent or core.has_output or self._closed:
            return
        if core.drained:
            self.abort()
        elif core.state is ConnectionState.CLOSED:
            # Closing with octets unread could take the GOAWAY from the peer: say that no more comes, and read
            # on.
            try:
                self._sock.shutdown(socket.SHUT_WR)
            except OSError:
                self.abort()

    def call_ended(self) -> None:
        """Hear that a call has ended after `shut_down`."""
        if self.core.state is not ConnectionState.OPEN:
            self._end_if_done()

    def abort(self) -> None:
        """Let the reader find the socket at its end."""
        try:
            self._sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # is closed

    def after_fork(self) -> None:
        """End all calls in a forked child: the connection is the parent's."""
        self.lock = threading.RLock()
        self._reading = threading.Lock()
        self._writing = threading.Lock()
        self._closed = True
        self._unsent = b""
        for stream in self.core.connection_lost():
            stream.owner = None

    def _lost(self) -> None:
        with self.lock:
            if self._closed:
                return
            self._closed = True
            for stream in self.core.connection_lost():
                if stream.owner is not None:
                    stream.owner.on_news()
            self._wake_senders()
        # In this order: once the socket is closed, its number may belong to a new connection.
        self.server.forget(self)
        with self._writing:
            self._unsent = b""
            self.server.poller.remove(self.fd)
            self._sock.close()
        self.server.connection_ended()
