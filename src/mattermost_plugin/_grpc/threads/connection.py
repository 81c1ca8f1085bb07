"""One connection of a channel with blocking calls."""

from __future__ import annotations

import select
import threading
import time
from typing import TYPE_CHECKING

from mattermost_plugin._grpc.calls import DEADLINE_EXCEEDED
from mattermost_plugin._grpc.cleartext import TLSFault, layer
from mattermost_plugin._grpc.client import ClientConnection
from mattermost_plugin._grpc.threads.turns import before_waiting

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from mattermost_plugin._grpc.addresses import Target
    from mattermost_plugin._grpc.header_encoder import RequestTemplate
    from mattermost_plugin._grpc.options import Options
    from mattermost_plugin._grpc.patience import Patience
    from mattermost_plugin._grpc.status import Status
    from mattermost_plugin._grpc.streams import Stream
    from mattermost_plugin._grpc.threads.client_socket import ClientSocket

__all__ = ["BlockingConnection"]


class BlockingConnection:
    """Moves octets between a connection and a socket on the threads that call.

    One call at a time uses it. A unary call has it for its thread alone. A call that streams may have a
    second thread that sends: then `lock` guards the core, one thread reads at a time and the other waits for
    it.
    """

    def __init__(
        self, sock: ClientSocket, target: Target, options: Options, context: ssl.SSLContext | None
    ) -> None:
        self.core = ClientConnection(options)
        self.lock = threading.Lock()
        self.used_at = time.monotonic()
        self._changed = threading.Condition(self.lock)
        self._reading = False
        self._broken_off = False
        self._cut_short = False
        self._writing = threading.Lock()
        self._socket = sock
        hostname = target.address[0] if isinstance(target.address, tuple) else target.authority
        self._tls = layer(context, server_side=False, server_hostname=hostname)
        self._unsent: bytes | memoryview = b""

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
        self._socket.close()

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
        self._socket.break_off()

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
        data = None if patience is None else self._socket.look(patience)
        if data is not None:
            self._take_in(data)
            self._write(deadline)  # what came may want an answer, or make room for more of the request
        while stream.status is None:
            data = self._socket.receive(deadline)
            if data is None:
                if deadline is not None and time.monotonic() >= deadline:
                    self.cancel(stream, DEADLINE_EXCEEDED)
                    self._write(deadline)
                    break
                continue
            self._take_in(data)
            if core.has_output or self._tls.pending:
                self._write(deadline)
        return stream

    def is_alive(self) -> bool:
        """Look, without waiting, whether the server has closed or will close the connection."""
        data = self._socket.receive_now()
        if data is not None:
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
                sent = self._socket.send(data)
            except OSError:
                self._take_in_rest()
                return taken
            taken = taken or sent > 0
            if sent < len(data):
                self._unsent = memoryview(data)[sent:]
                ready = self._socket.wait(select.POLLIN | select.POLLOUT, deadline)
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
            sent = self._socket.send(data)
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
            ready = self._socket.wait(select.POLLOUT | (select.POLLIN if reads else 0), None)
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
                if deadline is None or self._socket.wait(select.POLLIN, deadline):
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
            data = self._socket.receive_now()
        finally:
            self._end_reading(data)
        self.send_out()  # what came may want an answer

    def _end_reading(self, data: bytes | None) -> None:
        with self.lock:
            self._reading = False
            if data is not None:
                self._take_in(data)
            self._changed.notify_all()

    # ---- octets

    def _receive(self) -> bytes:
        """Wait for octets; none mean that there will be no more."""
        while True:
            data = self._socket.receive(None)
            if data is not None:
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
