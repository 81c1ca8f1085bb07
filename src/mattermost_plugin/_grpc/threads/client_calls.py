"""Blocking calls that stream, one class per shape."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from mattermost_plugin._grpc.client_calls import CANCELLED, call_headers, failure, single_response
from mattermost_plugin._grpc.status import ForkedError, Metadata, StatusCode

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self

    from mattermost_plugin._grpc.metadata import MetadataItems
    from mattermost_plugin._grpc.streams import Stream
    from mattermost_plugin._grpc.threads.channel import Channel
    from mattermost_plugin._grpc.threads.connection import BlockingConnection

__all__ = ["StreamCall", "StreamMethod", "StreamUnaryMethod"]


class _Method:
    def __init__(
        self,
        channel: Channel,
        path: str,
        serialize: Callable[[Any], bytes],
        deserialize: Callable[[bytes], Any],
    ) -> None:
        self.channel = channel
        self.template = channel.template(path)
        self.serialize = serialize
        self.deserialize = deserialize


class StreamUnaryMethod(_Method):
    """Calls a method of any number of requests and one response."""

    def __call__(self, requests: Any, *, timeout: float | None = None, metadata: Metadata = ()) -> Any:
        """Call the method; the requests are taken on the calling thread."""
        with StreamCall(self, timeout, metadata) as call:
            call.send_all(requests)
            return self.deserialize(call.single())


class StreamMethod(_Method):
    """Calls a method of any number of responses."""

    def __init__(
        self,
        channel: Channel,
        path: str,
        serialize: Callable[[Any], bytes],
        deserialize: Callable[[bytes], Any],
        *,
        request_streams: bool,
    ) -> None:
        super().__init__(channel, path, serialize, deserialize)
        self._request_streams = request_streams

    def __call__(self, request: Any, *, timeout: float | None = None, metadata: Metadata = ()) -> StreamCall:
        """Begin the call."""
        call = StreamCall(self, timeout, metadata)
        if self._request_streams:
            call.start_sending(request)
        else:
            call.send_all((request,))
        return call


class StreamCall:
    """An iterator of responses.

    `with` ends the call with the block, whether or not all responses were taken; so does dropping the
    iterator.
    """

    def __init__(self, method: _Method, timeout: float | None, metadata: Metadata) -> None:
        self._method = method
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._failed: BaseException | None = None
        self._given_up = False
        self._ended = True  # as long as there is nothing to end
        self._users = 1  # threads that have to do with the connection: the caller's, and one that sends
        template, extra = call_headers(method.template, timeout, metadata)
        self._connection: BlockingConnection = method.channel.check_out(self._deadline)
        self._stream: Stream = self._connection.core.open(template, extra)
        self._ended = False
        self._connection.send_out()

    def __iter__(self) -> StreamCall:
        return self

    def __next__(self) -> Any:
        self._check_process()
        stream, connection = self._stream, self._connection
        self._wait(lambda: bool(stream.messages) or stream.status is not None)
        with connection.lock:
            message = connection.core.take(stream) if stream.messages else None
        if message is None:
            self._end()
            self._raise_failure()
            raise StopIteration
        if connection.core.has_output:
            connection.send_out()
        return self._method.deserialize(message)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.cancel()

    def __del__(self) -> None:
        # Responses that nobody will take must not hold the connection.
        if not getattr(self, "_ended", True):
            self.cancel()

    def initial_metadata(self) -> MetadataItems:
        """Return the metadata that the server sends before its first message.

        Raises:
            RpcError: the call ended before.
        """
        stream = self._stream
        self._wait(lambda: stream.response is not None or stream.status is not None)
        if stream.response is None:
            self._raise_failure()
            return ()
        return stream.response.metadata

    def allow(self, seconds: float | None) -> None:
        """Let the call take `seconds` from now on; None: without limit. Who waits already goes on."""
        self._deadline = None if seconds is None else time.monotonic() + seconds

    def trailing_metadata(self) -> MetadataItems:
        """Return the metadata that the server sends with the status, waiting for the call's end."""
        stream = self._stream
        self._wait(lambda: stream.status is not None)
        return () if stream.status is None else stream.status.metadata

    def cancel(self) -> None:
        """End the call; whoever waits for it gets CANCELLED. Does nothing if it has ended."""
        if self._method.channel.forked:
            return  # the call is the parent's
        connection, stream = self._connection, self._stream
        with connection.lock:
            if stream.status is None:
                connection.cancel(stream, CANCELLED)
            self._given_up = True
            waited_for = connection.is_read
        connection.send_out()
        if waited_for:
            connection.break_off()  # whoever waits gives the connection back
        else:
            self._end()

    def send_all(self, requests: Any) -> None:
        """Send requests as far as the server takes them, and end this side."""
        core, stream, connection = self._connection.core, self._stream, self._connection
        for request in requests:
            self._check_process()
            message = self._method.serialize(request)
            with connection.lock:
                core.send_request(stream, message)
            connection.send_out()
            connection.look()  # the server may have answered already, and not want the rest
            if not core.has_room(stream):
                self._wait(lambda: core.has_room(stream), wants_room=True)
            if stream.status is not None:
                return
        with connection.lock:
            core.half_close(stream)
        connection.send_out()

    def send_in_background(self, requests: Any) -> None:
        """Send requests; what goes wrong is raised where the responses are taken."""
        try:
            self.send_all(requests)
        except Exception as error:  # noqa: BLE001 - see above
            self._failed = error
            self.cancel()
        finally:
            self._leave()

    def start_sending(self, requests: Any) -> None:
        """Send requests on a thread of the call's own."""
        self._users += 1
        threading.Thread(target=self.send_in_background, args=(requests,), daemon=True).start()

    def single(self) -> bytes:
        """Return the only response."""
        stream = self._stream
        self._wait(lambda: stream.status is not None)
        self._raise_failure()
        return single_response(stream, self._deadline)

    def _check_process(self) -> None:
        if self._method.channel.forked:
            raise ForkedError

    def _wait(self, happened: Callable[[], bool], *, wants_room: bool = False) -> None:
        self._check_process()
        if wants_room:
            self._stream.wants_room = True
        self._connection.wait_for(happened, self._stream, self._deadline)
        if self._given_up:
            self._end()

    def _raise_failure(self) -> None:
        if self._failed is not None:
            raise self._failed
        status = self._stream.status
        if status is not None and status.code is not StatusCode.OK:
            raise failure(self._stream, self._deadline)

    def _end(self) -> None:
        with self._connection.lock:
            ended, self._ended = self._ended, True
        if not ended:
            self._leave()

    def _leave(self) -> None:
        """Give the connection back, unless the other thread has still to do with it."""
        with self._connection.lock:
            self._users -= 1
            last = not self._users
        if last:
            self._method.channel.check_in(self._connection)
