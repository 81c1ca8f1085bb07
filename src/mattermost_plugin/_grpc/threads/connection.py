"""One connection of a channel with blocking calls."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
import time
from typing import TYPE_CHECKING, Final

from mattermost_plugin._grpc import addresses
from mattermost_plugin._grpc.calls import DEADLINE_EXCEEDED
from mattermost_plugin._grpc.cleartext import TLSFault, layer
from mattermost_plugin._grpc.client import ClientConnection
from mattermost_plugin._grpc.patience import LOOK, give_way
from mattermost_plugin._grpc.status import RpcError, Status, StatusCode
from mattermost_plugin._grpc.threads.turns import before_waiting

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from mattermost_plugin._grpc.addresses import Target
    from mattermost_plugin._grpc.header_encoder import RequestTemplate
    from mattermost_plugin._grpc.options import Options
    from mattermost_plugin._grpc.patience import Patience
    from mattermost_plugin._grpc.streams import Stream

__all__ = ["BlockingConnection", "connect"]

_SMALL_READ: Final = 64 << 10
_LARGE_READ: Final = 512 << 10
_NO_WAIT: Final = socket.MSG_DONTWAIT
_MANY_SECONDS: Final = 5


def connect(
    target: Target, options: Options, context: ssl.SSLContext | None, deadline: float | None
) -> BlockingConnection:
    """Connect to a server.

    Raises:
        RpcError: UNAVAILABLE if there is none, DEADLINE_EXCEEDED if it does not answer in time.
    """
    timeout = None if deadline is None else max(0.001, deadline - time.monotonic())
    try:
        if isinstance(target.address, str):
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                sock.settimeout(timeout)
                sock.connect(target.address)
            except BaseException:
                sock.close()
                raise
        else:
            sock = socket.create_connection(target.address, timeout)
            addresses.set_no_delay(sock)
    except TimeoutError:
        raise RpcError(DEADLINE_EXCEEDED.code, DEADLINE_EXCEEDED.message) from None
    except OSError as error:
        raise RpcError(StatusCode.UNAVAILABLE, f"cannot connect to {target.address}: {error}") from error
    sock.settimeout(None)
    hostname = (
        target.address[0] if context is not None and isinstance(target.address, tuple) else target.authority
    )
    return BlockingConnection(sock, options, context, hostname)


class BlockingConnection:
    """Moves octets between a connection and a socket on the threads that call.

    One call at a time uses it. A unary call has it for its thread alone. A call that streams may have a
    second thread that sends: then `lock` guards the core, one thread reads at a time and the other waits for
    it.
    """

    def __init__(
        self, sock: socket.socket, options: Options, context: ssl.SSLContext | None, hostname: str
    ) -> None:
        self.core = ClientConnection(options)
        self.lock = threading.Lock()
        self.used_at = time.monotonic()
        self._changed = threading.Condition(self.lock)
        self._reading = False
        self._broken_off = False
        self._cut_short = False
        self._writing = threading.Lock()
        self._sock = sock
        self._tls = layer(context, server_side=False, server_hostname=hostname)
        self._read_size = _SMALL_READ
        self._unsent: bytes | memoryview = b""
        self._receive_limit: float = 0

    @property
    def reusable(self) -> bool:
        """Whether another call can be made on this connection."""
        return self.core.usable and not self.core.streams and not self._broken_off and not self._cut_short

    @property
    def is_read(self) -> bool:
        """Whether a thread waits for octets."""
        return self._reading

    def close(self) -> None:
        """Close the socket."""
        self._sock.close()

    def cancel(self, stream: Stream, status: Status) -> None:
        """End a call before the server does.

        What the server has sent meanwhile would lie in the socket until the next call reads it, and a server
        that cannot finish writing would not get to see that the call has ended. So there is no next call.
        """
        self.core.cancel(stream, status)
        self._cut_short = True

    def break_off(self) -> None:
        """Wake a thread that reads, with the end of the connection."""
        self._broken_off = True
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    # ---- unary calls: everything on this thread, without locks

    def call(
        self,
        template: RequestTemplate,
        extra: bytes,
        message: bytes,
        deadline: float | None,
        patience: Patience | None,
    ) -> Stream:
        """Make a call with a single request, and return its stream once that has a status.

        Args:
            template: the header fields that all calls of the method share.
            extra: further ones, encoded.
            message: the request.
            deadline: by `time.monotonic()`; None: none.
            patience: whether to look for the answer before waiting for it; None: no.
        """
        core = self.core
        stream = core.request(template, message, extra)
        if not self._write(deadline):
            # Not one octet was taken, so the server has not seen the call.
            stream.refused = True
        before_waiting()
        if patience is not None and patience.wants_to_look():
            self._look_for_answer(patience, deadline)
        while stream.status is None:
            seconds = 0.0
            if deadline is not None:
                seconds = deadline - time.monotonic()
                if seconds <= 0:
                    self.cancel(stream, DEADLINE_EXCEEDED)
                    self._write(deadline)
                    break
                if seconds >= _MANY_SECONDS:
                    # Whole seconds as long as there are many, so that calls with the same timeout need not
                    # set it anew.
                    seconds = int(seconds)
            # The kernel keeps the time: to poll before each read would give up the interpreter's lock once
            # more, which costs threads that call at once a third of their calls.
            self._limit_receiving(seconds)
            try:
                data = self._receive_some()
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            self._take_in(data)
            if core.has_output or self._tls.pending:
                self._write(deadline)
        return stream

    def _look_for_answer(self, patience: Patience, deadline: float | None) -> None:
        until = time.perf_counter() + LOOK
        while time.perf_counter() < until:
            try:
                data = self._sock.recv(self._read_size, _NO_WAIT)
            except (BlockingIOError, InterruptedError):
                give_way()
                continue
            except OSError:
                data = b""
            patience.found()
            self._take_in(data)
            self._write(deadline)  # what came may want an answer, or make room for more of the request
            return
        patience.gave_up()

    def is_alive(self) -> bool:
        """Look, without waiting, whether the server has closed or will close the connection."""
        try:
            data = self._sock.recv(_SMALL_READ, _NO_WAIT)
        except (BlockingIOError, InterruptedError):
            return self.core.usable
        except OSError:
            return False
        self._take_in(data)
        self._write(None)
        return self.core.usable

    def _write(self, deadline: float | None) -> bool:
        """Write all there is, reading while the socket is full; False: it is broken, and took nothing."""
        taken = False
        while True:
            data = self._unsent or self._tls.encrypt(self.core.data_to_send())
            if not data:
                return True
            try:
                sent = self._send(data)
            except OSError:
                self._take_in_rest()
                return taken
            taken = taken or sent > 0
            if sent < len(data):
                self._unsent = memoryview(data)[sent:]
                ready = self._wait(select.POLLIN | select.POLLOUT, deadline)
                if not ready:
                    return True  # the deadline; whoever waits for the answer notices it as well
                if ready & select.POLLIN:
                    self._take_in(self._receive())
            else:
                self._unsent = b""
                if not (self.core.has_output or self._tls.pending):
                    return True

    def _take_in_rest(self) -> None:
        """Take in what the server had to say before it closed: perhaps why."""
        self._unsent = b""
        while data := self._receive():
            self._take_in(data)
        self.core.connection_lost()

    # ---- calls that stream: this thread and perhaps one that sends

    def send_out(self) -> None:
        """Write all there is; if another thread is writing, it takes along what this one has to say."""
        while self._unsent or self.core.has_output or self._tls.pending:
            if not self._writing.acquire(blocking=False):
                return
            try:
                complete = self._send_some()
            finally:
                self._writing.release()
            if not complete:
                self._read_until_writable()

    def _send_some(self) -> bool:
        data = self._unsent
        if not data:
            with self.lock:
                data = self._tls.encrypt(self.core.data_to_send())
                if self.core.writable:
                    self.core.writable.clear()
                    self._changed.notify_all()
        try:
            sent = self._send(data)
        except OSError:
            self._unsent = b""
            self.break_off()
            with self.lock:
                self.core.connection_lost()
                self._changed.notify_all()
            return True
        self._unsent = memoryview(data)[sent:] if sent < len(data) else b""
        return not self._unsent

    def _read_until_writable(self) -> None:
        with self.lock:
            reads = not self._reading
            self._reading = True
        data: bytes | None = None
        try:
            ready = self._wait(select.POLLOUT | (select.POLLIN if reads else 0), None)
            if ready & select.POLLIN:
                data = self._receive()
        finally:
            if reads:
                self._end_reading(data)

    def wait_for(self, happened: Callable[[], bool], stream: Stream, deadline: float | None) -> None:
        """Wait until something has happened to a stream; at the deadline, cancel its call.

        Args:
            happened: called with the lock held.
            stream: the call's stream.
            deadline: by `time.monotonic()`; None: none.
        """
        before_waiting()
        while True:
            with self.lock:
                if happened():
                    return
                if deadline is not None and time.monotonic() >= deadline:
                    self.cancel(stream, DEADLINE_EXCEEDED)
                    self._changed.notify_all()
                    break
                if self._reading:
                    self._changed.wait(None if deadline is None else max(0.0, deadline - time.monotonic()))
                    continue
                self._reading = True
            data: bytes | None = None
            try:
                if deadline is None or self._wait(select.POLLIN, deadline):
                    data = self._receive()
            finally:
                self._end_reading(data)
            self.send_out()
        self.send_out()

    def look(self) -> None:
        """Take in what has come, without waiting, unless another thread reads."""
        with self.lock:
            if self._reading:
                return
            self._reading = True
        data: bytes | None = None
        try:
            data = self._sock.recv(_SMALL_READ, _NO_WAIT)
        except (BlockingIOError, InterruptedError):
            pass
        except OSError:
            data = b""
        finally:
            self._end_reading(data)
        self.send_out()  # what came may want an answer

    def _end_reading(self, data: bytes | None) -> None:
        with self.lock:
            self._reading = False
            if data is not None:
                self._take_in(data)
            self._changed.notify_all()

    # ---- the socket

    def _send(self, data: bytes | memoryview) -> int:
        try:
            return self._sock.send(data, _NO_WAIT)
        except (BlockingIOError, InterruptedError):
            return 0

    def _limit_receiving(self, seconds: float) -> None:
        """Let a read fail after so long; 0: never."""
        if seconds != self._receive_limit:
            self._receive_limit = seconds
            micros = 0 if not seconds else max(int(seconds * 1_000_000), 1)
            value = struct.pack("@ll", *divmod(micros, 1_000_000))
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, value)

    def _receive(self) -> bytes:
        """Wait for octets; none mean that there will be no more."""
        self._limit_receiving(0)
        try:
            return self._receive_some()
        except OSError:
            return b""

    def _receive_some(self) -> bytes:
        size = self._read_size
        data = self._sock.recv(size)
        if len(data) == size:
            self._read_size = _LARGE_READ
        elif size > _SMALL_READ:
            self._read_size = max(_SMALL_READ, size >> 1)
        return data

    def _take_in(self, data: bytes) -> None:
        if data:
            try:
                data = self._tls.decrypt(data)
            except TLSFault:
                self.core.connection_lost()
            else:
                self.core.receive(data)
        else:
            self.core.connection_lost()

    def _wait(self, events: int, deadline: float | None) -> int:
        """Wait until the socket is ready and return for what; 0 at the deadline."""
        poll = select.poll()
        poll.register(self._sock, events)
        if deadline is None:
            ready = poll.poll()
        else:
            remaining = deadline - time.monotonic()
            ready = poll.poll(remaining * 1000 + 1) if remaining > 0 else []
        return ready[0][1] if ready else 0
