"""A gRPC client for blocking calls.

As long as few calls are under way, each has a connection for itself, taken from those that are idle: it
writes the request and reads the response on the calling thread, and no other thread is concerned. Calls
beyond these share one connection (`shared_connection`). Calls that stream always have their own, as have
large requests and all calls over TLS.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final

from mattermost_plugin import _forks
from mattermost_plugin._grpc.addresses import Target
from mattermost_plugin._grpc.client import request_template
from mattermost_plugin._grpc.client_calls import CLOSED
from mattermost_plugin._grpc.options import Options
from mattermost_plugin._grpc.status import ForkedError, RpcError, StatusCode
from mattermost_plugin._grpc.threads.client_calls import StreamMethod, StreamUnaryMethod
from mattermost_plugin._grpc.threads.client_socket import FRESH, connect
from mattermost_plugin._grpc.threads.connection import BlockingConnection
from mattermost_plugin._grpc.threads.shared_connection import SharedConnection
from mattermost_plugin._grpc.threads.unary_calls import LARGE, UnaryMethod

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from mattermost_plugin._grpc.header_encoder import RequestTemplate
    from mattermost_plugin._grpc.threads.client_calls import StreamCall

__all__ = ["Channel"]

#: So many calls have connections for themselves.
_FEW: Final = 2


class Channel:
    """Calls methods of a server, from any number of threads.

    Connections are made when they are needed, and made anew after the server was restarted.

    Args:
        target: "unix:/path" or "host:port".
        ssl_context: for TLS; None: none.
        options: limits and settings.

    Attributes:
        common: the connection that many calls share; None: there is none yet.
        forked: whether this is a copy in a forked child, where every call fails with `ForkedError`.
    """

    def __init__(
        self, target: str, *, ssl_context: ssl.SSLContext | None = None, options: Options | None = None
    ) -> None:
        self.target = Target.parse(target)
        self.options = options or Options()
        self._ssl_context = ssl_context
        self._idle: list[BlockingConnection] = []
        self._busy: set[BlockingConnection] = set()
        self.common: SharedConnection | None = None
        self._connecting: list[None] = [None]  # empty: a thread connects for all
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self.forked = False
        _forks.add(self)

    def after_fork(self) -> None:
        """Refuse calls in a forked child, and forget the parent's connections there."""
        self.forked = True
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._connecting = [None]
        self._idle, self._busy, self.common = [], set(), None

    def unary_unary(
        self, path: str, serialize: Callable[[Any], bytes], deserialize: Callable[[bytes], Any]
    ) -> UnaryMethod:
        """Return a function (request, *, timeout=None, metadata=()) -> response.

        It raises RpcError if the call ends with a status other than OK.
        """
        return UnaryMethod(self, path, serialize, deserialize)

    def unary_stream(
        self, path: str, serialize: Callable[[Any], bytes], deserialize: Callable[[bytes], Any]
    ) -> Callable[..., StreamCall]:
        """Return a function (request, *, timeout=None, metadata=()) -> iterator of responses."""
        return StreamMethod(self, path, serialize, deserialize, request_streams=False)

    def stream_unary(
        self, path: str, serialize: Callable[[Any], bytes], deserialize: Callable[[bytes], Any]
    ) -> Callable[..., Any]:
        """Return a function (requests, *, timeout=None, metadata=()) -> response."""
        return StreamUnaryMethod(self, path, serialize, deserialize)

    def stream_stream(
        self, path: str, serialize: Callable[[Any], bytes], deserialize: Callable[[bytes], Any]
    ) -> Callable[..., StreamCall]:
        """Return a function (requests, *, timeout=None, metadata=()) -> iterator of responses.

        The requests are taken on a thread of the call's own.
        """
        return StreamMethod(self, path, serialize, deserialize, request_streams=True)

    def close(self) -> None:
        """Close all connections; calls that run end with UNAVAILABLE."""
        with self._lock:
            self._closed.set()
            idle, self._idle = self._idle, []
            busy = list(self._busy)
            shared, self.common = self.common, None
        for connection in idle:
            connection.close()
        for connection in busy:
            connection.break_off()
        if shared is not None:
            shared.retire(break_off=True)

    # ---- for calls

    @property
    def is_shared(self) -> bool:
        """Whether more than one call is under way."""
        return len(self._busy) > 1

    def template(self, path: str) -> RequestTemplate:
        """Return the header fields that all calls of a method share."""
        return request_template(path, self.target.authority, self.options, tls=self._ssl_context is not None)

    def shared(self, size: int, deadline: float | None) -> SharedConnection | None:
        """Return the connection for a call with a request of so many octets; None: it gets its own.

        Raises:
            RpcError: UNAVAILABLE if there is no server or the channel is closed, DEADLINE_EXCEEDED;
                ForkedError in a forked child.
        """
        if self.forked:
            raise ForkedError
        shared = self.common
        if shared is not None and shared.usable:
            return shared if size < LARGE and (shared.in_use or len(self._busy) >= _FEW) else None
        if size >= LARGE or len(self._busy) < _FEW or self._ssl_context is not None:
            return None
        try:
            self._connecting.pop()
        except IndexError:
            return None
        try:
            return self._connect_shared(shared, deadline)
        finally:
            self._connecting.append(None)

    def _connect_shared(self, before: SharedConnection | None, deadline: float | None) -> SharedConnection:
        connection = SharedConnection(connect(self.target, deadline), self.options)
        with self._lock:
            closed = self._closed.is_set()
            if not closed:
                self.common = connection
        if closed:
            connection.retire()
            raise RpcError(StatusCode.UNAVAILABLE, CLOSED)
        if before is not None:
            before.retire()
        return connection

    def check_out(self, deadline: float | None) -> BlockingConnection:
        """Return a connection for one call.

        Raises:
            RpcError: UNAVAILABLE if there is no server or the channel is closed; ForkedError in a forked
                child.
        """
        if self.forked:
            raise ForkedError
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                break
            if time.monotonic() - connection.used_at < FRESH or connection.is_alive():
                self._busy.add(connection)
                return connection
            connection.close()
        if self._closed.is_set():
            raise RpcError(StatusCode.UNAVAILABLE, CLOSED)
        connection = BlockingConnection(
            connect(self.target, deadline), self.target, self.options, self._ssl_context
        )
        with self._lock:
            if self._closed.is_set():
                connection.close()
                raise RpcError(StatusCode.UNAVAILABLE, CLOSED)
            self._busy.add(connection)
        return connection

    def drop_idle(self) -> None:
        """Close connections that nobody uses: where one was found broken, so may they be."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def check_in(self, connection: BlockingConnection) -> None:
        """Take a connection back after its call, for the next one if it can be used again."""
        self._busy.discard(connection)
        if connection.reusable and not self._closed.is_set():
            connection.used_at = time.monotonic()
            self._idle.append(connection)
            if not self._closed.is_set():
                return
            # Closed meanwhile: whoever still finds it in the list closes it.
            try:
                self._idle.remove(connection)
            except ValueError:
                return
        connection.close()

    def discard(self, connection: BlockingConnection) -> None:
        """Close a connection whose state is not known."""
        self._busy.discard(connection)
        connection.close()
