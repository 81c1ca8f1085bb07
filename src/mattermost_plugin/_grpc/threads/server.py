"""A gRPC server whose handlers run on threads, each on the thread that read its request.

All threads wait for the same sockets. The one that gets an event reads, lets the next event go to another
thread, and runs the handler it has read the request of. So a call costs no hand-over between threads, and a
handler that waits keeps nobody from reading.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Final

from mattermost_plugin import _forks
from mattermost_plugin._grpc import addresses
from mattermost_plugin._grpc.addresses import Listener
from mattermost_plugin._grpc.options import Options
from mattermost_plugin._grpc.patience import LOOK, Patience, give_way
from mattermost_plugin._grpc.threads.poller import WAKE, new_poller
from mattermost_plugin._grpc.threads.server_connection import SocketConnection
from mattermost_plugin._grpc.threads.turns import Watch, this_caller
from mattermost_plugin._logger import get_logger

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable, Mapping

    from mattermost_plugin._grpc.addresses import PeerCredentials
    from mattermost_plugin._grpc.handlers import Handler
    from mattermost_plugin._grpc.threads.poller import Event
    from mattermost_plugin._grpc.threads.server_calls import ServerCall

__all__ = ["Server"]

#: Seconds after which a call that follows another is one by itself.
_RAPID: Final = 300e-6

logger: Final = get_logger("mattermost_plugin.grpc")


class Server:
    """Serves methods on threads.

    Args:
        handlers: by path, "/package.Service/Method".
        options: limits and settings.
        max_workers: unary handlers that may run at once; further calls wait. Calls that stream have threads
            of
            their own beside these, and one more thread is there to read.
    """

    def __init__(
        self, handlers: Mapping[str, Handler], *, options: Options | None = None, max_workers: int = 64
    ) -> None:
        if max_workers < 1:
            raise ValueError(f"max_workers must be at least 1, not {max_workers}")
        self.handlers = dict(handlers)
        self.options = options or Options()
        self.poller = new_poller()
        self.backlog: deque[ServerCall] = deque()
        self.connections: dict[int, SocketConnection] = {}
        self._max_workers = max_workers
        self._listeners: dict[int, Listener] = {}
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        # Guarded by the lock: threads there are, those that wait for an event, those that run a unary
        # handler, and those that run another.
        self._threads = 0
        self._waiting = 0
        self._running = 0
        self._streaming = 0
        self._wake_pending = False
        # What the thread that runs handlers has put off: sockets to be armed, answers to be written.
        self._put_off: list[SocketConnection] = []
        self._unwritten: set[SocketConnection] = set()
        self._patience = Patience()
        self._idle_since = 0.0  # by `time.perf_counter()`: when a thread last began to wait
        self._runs = 0
        self._watch = Watch(lambda: self._runs, self._give_up_turn, "grpc-server-watch")
        self._stopping = False
        self._stopped = False

    # ---- the public side

    def listen_unix(
        self,
        path: str,
        ssl_context: ssl.SSLContext | None = None,
        *,
        accept: Callable[[PeerCredentials], bool] | None = None,
    ) -> str:
        """Listen on a Unix socket that only this user may connect to, and return its path.

        The socket's file is removed when the server stops.

        Args:
            path: where; a socket that a process left behind is replaced.
            ssl_context: for TLS; None: none.
            accept: asked about each client; False closes its connection. None: all are accepted.
        """
        listener = addresses.listening_unix(path)
        self._add_listener(Listener(listener, ssl_context, accept, path))
        return path

    def listen_tcp(self, host: str, port: int, ssl_context: ssl.SSLContext | None = None) -> tuple[str, int]:
        """Listen on a TCP port, 0 for a free one, and return host and port."""
        listener = addresses.listening_tcp(host, port)
        self._add_listener(Listener(listener, ssl_context))
        name = listener.getsockname()
        return name[0], name[1]

    def _add_listener(self, listener: Listener) -> None:
        self._listeners[listener.socket.fileno()] = listener

    def start(self) -> None:
        """Accept connections, on threads of the server's own."""
        _forks.on_fork(self._after_fork)
        for fd in self._listeners:
            self.poller.arm_read(fd)
        with self._lock:
            self._spawn()
            self._spawn()

    def serve_forever(self) -> None:
        """Start, and return once the server has stopped."""
        self.start()
        self.wait_closed()

    def stop(self, grace: float | None = None) -> None:
        """Stop.

        Args:
            grace: seconds that running calls have to end; None cancels them at once. A handler is not
                interrupted: it sees its call cancelled.
        """
        with self._lock:
            already, self._stopping = self._stopping, True
            listeners = list(self._listeners.items())
            self._listeners.clear()
        if already:
            return
        for fd, listener in listeners:
            self.poller.remove(fd)
            listener.close()
        if grace:
            for connection in list(self.connections.values()):
                connection.shut_down()
            self._wait_for_connections(grace)
        for connection in list(self.connections.values()):
            connection.end_now()
        self._wait_for_connections(1.0)
        _forks.forget(self._after_fork)
        with self._changed:
            self._stopped = True
            self._watch.stop()
            self._changed.notify_all()
            # The last thread that leaves closes the poller; each one before wakes the next.
            if self._threads:
                self.poller.wake()

    def wait_closed(self) -> None:
        """Wait until the server has stopped."""
        with self._changed:
            while not self._stopped:
                self._changed.wait()

    # ---- for connections

    def put_off(self, connection: SocketConnection) -> bool:
        """Return whether a connection is armed later: when the calls that were read from it have run.

        That is so once several calls come at a time, or one right after the other.
        """
        ready = len(self.backlog)
        if ready > 1 or time.perf_counter() - self._idle_since < _RAPID:
            self._watch.start()
        if not ready or not self._watch.active:
            return False
        with self._lock:
            self._put_off.append(connection)
        return True

    def forget(self, connection: SocketConnection) -> None:
        """Send no more events to a connection that is about to close."""
        with self._lock:
            self.connections.pop(connection.fd, None)
            self._unwritten.discard(connection)

    def connection_ended(self) -> None:
        """Hear that a connection is closed."""
        with self._changed:
            self._changed.notify_all()

    def _after_fork(self) -> None:
        """End all calls in a forked child: a handler that forked must not wait for other threads."""
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self.backlog.clear()
        for connection in self.connections.values():
            connection.after_fork()

    # ---- threads

    def _spawn(self) -> None:
        """Start a thread, with the lock held."""
        self._threads += 1
        name = f"grpc-server-{self._threads}"
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def _work(self) -> None:
        try:
            caller = this_caller()
            caller.give_up = self._give_up_turn
            while not self._stopped:
                self._run_backlog()
                connection = self._look_for_next()
                if connection is not None:
                    self._read_from(connection)
                    continue
                self._catch_up()
                self._idle_since = time.perf_counter()
                with self._lock:
                    self._waiting += 1
                event = self.poller.wait()
                with self._lock:
                    self._waiting -= 1
                if event is WAKE:
                    self._wake_pending = False
                    self._write_unwritten()
                else:
                    self._handle(event)
        finally:
            with self._lock:
                self._threads -= 1
                if self._threads:
                    self.poller.wake()
                else:
                    self.poller.close()

    def _handle(self, event: Event) -> None:
        connection = self.connections.get(event.fd)
        if connection is None:
            self._accept(event.fd)
        else:
            self._read_from(connection, writable=event.writable)

    def _read_from(self, connection: SocketConnection, *, writable: bool = False) -> None:
        try:
            if writable:
                connection.on_writable()
            else:
                connection.on_readable()
        except Exception:
            # A fault of this package must not take the thread, and with it the server, along.
            logger.exception("A connection failed and is closed")
            connection.abort()

    def _look_for_next(self) -> SocketConnection | None:
        """Look for a moment for the next call of the client whose call was run; return its connection."""
        put_off = self._put_off
        if len(put_off) != 1 or self.backlog or self._unwritten or not self._patience.wants_to_look():
            return None
        connection = put_off[0]
        until = time.perf_counter() + LOOK
        while time.perf_counter() < until:
            if connection.has_octets():
                self._patience.found()
                with self._lock:
                    if connection not in self._put_off:
                        return None  # it has been armed meanwhile
                    self._put_off.remove(connection)
                return connection
            give_way()
        self._patience.gave_up()
        return None

    def _run_backlog(self) -> None:
        """Run calls that are ready, as long as there are any and workers for them."""
        backlog = self.backlog
        caller = this_caller()
        while backlog:
            with self._lock:
                call = self._next_call()
                if call is None:
                    return
                self._runs += 1
                # There must be somebody to take the turn.
                if not self._waiting and self._threads <= self._max_workers + self._streaming:
                    self._spawn()
            if call.streams or not self._watch.active:
                self._give_up_turn()
            call.run()
            caller.leave()
            connection = call.connection
            with self._lock:
                if call.streams:
                    self._streaming -= 1
                else:
                    self._running -= 1
                held = bool(backlog) and self._watch.active
                if held:
                    self._unwritten.add(connection)
            if not held:
                connection.flush()
            connection.call_ended()

    def _give_up_turn(self) -> bool:
        """Let other threads read on and run what is ready, because this one may be long; return False."""
        if not (self._put_off or self.backlog or self._unwritten):
            return False
        with self._lock:
            able = self._waiting > 0 and self._running < self._max_workers
            wake = bool(self.backlog) and able and not self._wake_pending
            if wake:
                self._wake_pending = True
        self._catch_up()
        if wake:
            self.poller.wake()
        return False

    def _catch_up(self) -> None:
        """Do what was put off: arm sockets, write answers."""
        if self._put_off:
            with self._lock:
                put_off, self._put_off = self._put_off, []
            for connection in put_off:
                self.poller.arm_read(connection.fd)
        if self._unwritten:
            self._write_unwritten()

    def _next_call(self) -> ServerCall | None:
        """Take the next call for which there is a worker, with the lock held."""
        backlog = self.backlog
        for _ in range(len(backlog)):
            call = backlog.popleft()
            if call.streams:
                self._streaming += 1
                return call
            if self._running < self._max_workers:
                self._running += 1
                return call
            backlog.append(call)
        return None

    def _write_unwritten(self) -> None:
        with self._lock:
            unwritten, self._unwritten = self._unwritten, set()
        for connection in unwritten:
            connection.flush()

    def _accept(self, fd: int) -> None:
        with self._lock:
            listener = self._listeners.get(fd)
        if listener is None:
            return
        try:
            sock, _ = listener.socket.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            self._listen_on(fd)
            return
        except OSError as error:
            if not self._stopping:
                logger.error("A connection cannot be accepted: %s", error)  # noqa: TRY400 - the text says it all
                time.sleep(0.05)  # most likely there are no descriptors; trying at once would spin
                self._listen_on(fd)
            return
        self._listen_on(fd)
        try:
            if listener.accepts(sock):
                self._begin(sock, listener.ssl_context)
                return
        except OSError as error:
            logger.info("A client was gone before it was accepted: %s", error)
        sock.close()

    def _listen_on(self, fd: int) -> None:
        """Let the next thread accept, unless `stop` has closed the listener meanwhile."""
        with contextlib.suppress(OSError):
            self.poller.arm_read(fd)

    def _begin(self, sock: socket.socket, ssl_context: ssl.SSLContext | None) -> None:
        _forks.add_socket(sock)
        sock.setblocking(False)
        addresses.set_no_delay(sock)
        connection = SocketConnection(self, sock, addresses.describe_peer(sock), ssl_context)
        with self._lock:
            if self._stopping:
                sock.close()
                return
            self.connections[connection.fd] = connection
        connection.begin()

    def _wait_for_connections(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        with self._changed:
            while self.connections:
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    return
                self._changed.wait(remaining)
