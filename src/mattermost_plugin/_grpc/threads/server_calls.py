"""Runs handlers on threads."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from mattermost_plugin._grpc.calls import DEADLINE_EXCEEDED, BaseServerCall, status_of_failure
from mattermost_plugin._grpc.handlers import Kind
from mattermost_plugin._grpc.status import Metadata, RpcError, Status, StatusCode
from mattermost_plugin._grpc.threads.turns import before_waiting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mattermost_plugin._grpc.handlers import Handler
    from mattermost_plugin._grpc.streams import Stream
    from mattermost_plugin._grpc.threads.server_connection import SocketConnection

__all__ = ["ServerCall"]


class ServerCall(BaseServerCall):
    """One call as its handler sees it."""

    __slots__ = ("_changed", "_message", "connection")

    def __init__(
        self, connection: SocketConnection, stream: Stream, handler: Handler, message: bytes | None
    ) -> None:
        super().__init__(connection.core, stream, handler, connection.peer)
        self.connection = connection
        self._message = message
        self._changed: threading.Condition | None = None

    def send_initial_metadata(self, metadata: Metadata) -> None:
        """Send metadata before the first message.

        Raises:
            ValueError, TypeError: metadata that gRPC does not allow.
        """
        with self.connection.lock:
            self._connection.send_initial_metadata(self._stream, metadata)
        self.connection.flush()

    def send(self, response: Any) -> None:
        """Send a response of a method that streams them, and wait while the client takes no more.

        Raises:
            RpcError: the client no longer waits.
        """
        self._send_now(self._handler.serialize(response))
        self.connection.flush()
        self._wait_for_room()

    @property
    def streams(self) -> bool:
        """Whether the call takes or gives any number of messages, and so may last."""
        return self._handler.kind is not Kind.UNARY_UNARY

    def run(self) -> None:
        """Run the handler; the answer is left to be written."""
        if not self._stream.local_closed:  # else cancelled before its turn came
            try:
                if self._handler.kind is Kind.UNARY_UNARY:
                    self._run_unary()
                else:
                    self._run_streaming()
            except BaseException as error:  # noqa: BLE001 - also `sys.exit`, which must not end the server's thread
                self._finish(status_of_failure(self, error))
        self._let_go()

    def _run_unary(self) -> None:
        handler, message = self._handler, self._message
        assert message is not None
        self._message = None
        response = handler.serialize(handler.function(handler.deserialize(message), self))
        if self.deadline is not None and self.cancelled:
            self._finish(DEADLINE_EXCEEDED)
        elif self._trailing:
            self._send_now(response)
            self._finish(self._status())
        else:
            with self.connection.lock:
                self._connection.reply(self._stream, response)

    def _run_streaming(self) -> None:
        handler, message = self._handler, self._message
        self._message = None
        request = self._requests() if message is None else handler.deserialize(message)
        result = handler.function(request, self)
        if handler.kind.response_streams:
            self._send_all(result)
        else:
            self._send_now(handler.serialize(result))
        self._finish(self._status())

    def _send_all(self, responses: Any) -> None:
        iterator = iter(responses)
        try:
            for response in iterator:
                self.send(response)
        finally:
            if hasattr(iterator, "close"):
                iterator.close()

    def _send_now(self, message: bytes) -> None:
        with self.connection.lock:
            self._connection.send_response(self._stream, message)

    def _wait_for_room(self) -> None:
        core, stream = self._connection, self._stream
        if core.has_room(stream) and not stream.local_closed:
            return
        with self.connection.lock:
            while not core.has_room(stream):
                stream.wants_room = True
                self._wait()
            if stream.local_closed:
                raise RpcError(StatusCode.CANCELLED, "the client cancelled the call")

    def _requests(self) -> Iterator[Any]:
        message = self._next_message()
        while message is not None:
            yield self._handler.deserialize(message)
            message = self._next_message()

    def _next_message(self) -> bytes | None:
        """Wait for the next message of the request and return it, None at the end."""
        core, stream = self._connection, self._stream
        message: bytes | None = None
        with self.connection.lock:
            while not stream.messages and not stream.remote_closed and not stream.local_closed:
                self._wait()
            if stream.messages:
                message = core.take(stream)
            elif stream.local_closed:
                raise RpcError(StatusCode.CANCELLED, "the client cancelled the call")
        if core.has_output:
            self.connection.flush()
        return message

    def _wait(self) -> None:
        """Wait for news, with the lock held."""
        before_waiting()
        if self._changed is None:
            self._changed = threading.Condition(self.connection.lock)
        if not self._changed.wait(self.time_remaining()) and self.time_remaining() == 0:
            raise RpcError(DEADLINE_EXCEEDED.code, DEADLINE_EXCEEDED.message)

    def on_news(self) -> None:
        """Hear from the connection, which holds the lock."""
        if self._changed is not None:
            self._changed.notify_all()

    def _finish(self, status: Status) -> None:
        with self.connection.lock:
            try:
                self._connection.finish(self._stream, status)
            except (ValueError, TypeError) as error:  # metadata that cannot be sent
                self._connection.finish(self._stream, status_of_failure(self, error))
