"""Calls of the awaitable API whose request or response is a stream."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from mattermost_plugin._codec.parts import chunk_of, pack_chunk
from mattermost_plugin._grpc import RpcError, StatusCode, as_is
from mattermost_plugin._grpc.aio.client_calls import StreamCall, StreamUnaryMethod

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from mattermost_plugin._codec.methods import Method
    from mattermost_plugin._grpc.aio import Channel

__all__ = ["AsyncDownload", "messages", "upload"]

_TOO_LATE = "nothing moved within the time limit"


async def messages(head: bytes, pieces: AsyncIterator[bytes | memoryview]) -> AsyncIterator[bytes]:
    """Yield the messages of a request that streams."""
    yield head
    async for piece in pieces:
        yield pack_chunk(piece)


async def upload(
    channel: Channel, method: Method, requests: AsyncIterator[bytes], timeout: float | None
) -> bytes:
    """Send requests and return the response.

    Args:
        channel: The way to the host.
        method: What is called.
        requests: The messages. An exception in their iterator ends the call and is raised here.
        timeout: Seconds that the host may let pass without taking a message, or without answering after
            the last; None: any number.

    Raises:
        RpcError: The call failed.
    """
    patience = _Patience(timeout)

    async def timed() -> AsyncIterator[bytes]:
        # The limit is for the host, not for where the content comes from.
        async for request in requests:
            patience.begin()
            yield request
            patience.end()
        patience.begin()

    # The host is told no deadline: how long the whole takes is nobody's limit.
    entry = StreamUnaryMethod(channel, method.path, as_is, as_is)
    call = StreamCall(entry, timed(), request_streams=True, timeout=None, metadata=())
    patience.call = call
    try:
        return await call.single()
    except RpcError:
        if patience.lost:
            raise RpcError(StatusCode.DEADLINE_EXCEEDED, _TOO_LATE) from None
        raise
    finally:
        patience.end()
        call.cancel()


class _Patience:
    """Cancels a call when the other side lets too much time pass."""

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._timer: asyncio.TimerHandle | None = None
        self.call: StreamCall | None = None
        self.lost = False

    def begin(self) -> None:
        self.end()
        if self._seconds is not None:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self._lose)

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _lose(self) -> None:
        self.lost = True
        if self.call is not None:
            self.call.cancel()


class AsyncDownload:
    """The messages of a response that streams: the head, then pieces of content."""

    def __init__(
        self,
        channel: Channel,
        method: Method,
        request: bytes,
        timeout: float | None,
        failed: Callable[[RpcError], Exception],
    ) -> None:
        """Prepare the call, which begins when the head is asked for; arguments as for `Download`."""
        self._timeout = timeout
        self._failed = failed
        self._call = channel.unary_stream(method.path, as_is, as_is)(request)

    async def head(self) -> bytes:
        """Return the first message."""
        head = await self._next()
        if head is None:
            raise self._failed(RpcError(StatusCode.INTERNAL, "the host ended the stream without a message"))
        return head

    async def __aiter__(self) -> AsyncIterator[memoryview]:
        """Yield the pieces that follow the head."""
        while (message := await self._next()) is not None:
            piece = chunk_of(message)
            if piece is not None:
                yield piece

    async def close(self) -> None:
        """End the call, whether or not all was read."""
        self._call.cancel()

    async def _next(self) -> bytes | None:
        try:
            message: bytes = await asyncio.wait_for(self._call.__anext__(), self._timeout)
        except StopAsyncIteration:
            return None
        except asyncio.TimeoutError:
            raise self._failed(RpcError(StatusCode.DEADLINE_EXCEEDED, _TOO_LATE)) from None
        except RpcError as error:
            raise self._failed(error) from None
        return message
