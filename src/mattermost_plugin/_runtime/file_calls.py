"""Calls of the blocking API whose request or response is a stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mattermost_plugin._codec.parts import chunk_of, pack_chunk
from mattermost_plugin._grpc import RpcError, StatusCode, as_is
from mattermost_plugin._grpc.threads.client_calls import StreamCall, StreamUnaryMethod

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from mattermost_plugin._codec.methods import Method
    from mattermost_plugin._grpc.threads import Channel

__all__ = ["Download", "messages", "upload"]


def messages(head: bytes, pieces: Iterable[bytes | memoryview]) -> Iterator[bytes]:
    """Yield the messages of a request that streams."""
    yield head
    for piece in pieces:
        yield pack_chunk(piece)


def upload(channel: Channel, method: Method, requests: Iterable[bytes], timeout: float | None) -> bytes:
    """Send requests, which are taken on this thread, and return the response.

    Args:
        channel: The way to the host.
        method: What is called.
        requests: The messages. An exception in their iterator ends the call and is raised here.
        timeout: Seconds that the host may let pass without taking a message, or without answering after
            the last; None: any number.

    Raises:
        RpcError: The call failed.
    """
    # The host is told no deadline: how long the whole takes is nobody's limit.
    with StreamCall(StreamUnaryMethod(channel, method.path, as_is, as_is), None, ()) as call:

        def timed() -> Iterator[bytes]:
            for request in requests:
                call.allow(timeout)
                yield request
            call.allow(timeout)

        call.send_all(timed())
        return call.single()


class Download:
    """The messages of a response that streams: the head, then pieces of content."""

    def __init__(
        self,
        channel: Channel,
        method: Method,
        request: bytes,
        timeout: float | None,
        failed: Callable[[RpcError], Exception],
    ) -> None:
        """Begin the call.

        Args:
            channel: The way to the host.
            method: What is called.
            request: The request.
            timeout: Seconds to wait for each message; None: any number.
            failed: Returns what is raised for a call that failed.
        """
        self._timeout = timeout
        self._failed = failed
        try:
            self._call = channel.unary_stream(method.path, as_is, as_is)(request)
        except RpcError as error:
            raise failed(error) from None

    def head(self) -> bytes:
        """Return the first message."""
        head = self._next()
        if head is None:
            raise self._failed(RpcError(StatusCode.INTERNAL, "the host ended the stream without a message"))
        return head

    def __iter__(self) -> Iterator[memoryview]:
        """Yield the pieces that follow the head."""
        while (message := self._next()) is not None:
            piece = chunk_of(message)
            if piece is not None:
                yield piece

    def close(self) -> None:
        """End the call, whether or not all was read."""
        self._call.cancel()

    def _next(self) -> bytes | None:
        self._call.allow(self._timeout)
        try:
            message: bytes | None = next(self._call, None)
        except RpcError as error:
            raise self._failed(error) from None
        return message
