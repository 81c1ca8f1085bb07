"""What stands behind every method of the awaitable API: one call, whatever carries it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from mattermost_plugin._grpc import RpcError
from mattermost_plugin._runtime.faces import DEFAULT_TIMEOUT
from mattermost_plugin._runtime.statuses import call_error, not_connected, unavailable_here

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Awaitable, Callable

    from typing_extensions import Self

    from mattermost_plugin._grpc.aio import Channel
    from mattermost_plugin._grpc.aio.client_calls import StreamCall
    from mattermost_plugin._runtime.methods import Method

__all__ = ["AsyncChannelTransport", "AsyncFace", "AsyncTransport"]

_T = TypeVar("_T")


class AsyncTransport(Protocol):
    """Carries the bytes of a call to the host and back."""

    async def __call__(self, method: Method, request: bytes, timeout: float | None, /) -> bytes:
        """Return the response, or raise a `PluginError` for a call that failed."""
        ...


class AsyncFace:
    """Base of the generated `AsyncAPI`: every method is one `_call`."""

    __slots__ = ("_timeout", "_transport")

    def __init__(self, transport: AsyncTransport, timeout: float | None = DEFAULT_TIMEOUT) -> None:
        self._transport = transport
        self._timeout = timeout

    def with_timeout(self, seconds: float | None) -> Self:
        """Return the same API whose calls wait `seconds` for an answer; None: without limit."""
        return type(self)(self._transport, seconds)

    async def _call(self, method: Method, /, *args: Any) -> _T:
        if method.unavailable:
            raise unavailable_here(method)
        codec = method.codec
        response = await self._transport(method, codec.encode_request(*args), self._timeout)
        return codec.decode_response(response)  # type: ignore[no-any-return] # as above


def _as_is(data: bytes) -> bytes:
    return data


class AsyncChannelTransport:
    """Calls the host over a gRPC channel of the running loop."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._calls: dict[Method, Callable[..., Awaitable[bytes]]] = {}
        self._closed = False

    async def __call__(self, method: Method, request: bytes, timeout: float | None, /) -> bytes:
        """Make the call and turn a failure into a `PluginError`."""
        call = self._calls.get(method)
        if call is None:
            call = self._calls[method] = self._channel.unary_unary(method.path, _as_is, _as_is)
        try:
            return await call(request, timeout=timeout)
        except RpcError as error:
            if self._closed:
                raise not_connected() from None
            raise call_error(error, method, timeout) from None

    def stream(self, method: Method, requests: AsyncIterable[bytes]) -> StreamCall:
        """Return a call whose requests and responses are streams; it begins when it is first waited for."""
        return self._channel.stream_stream(method.path, _as_is, _as_is)(requests)

    async def close(self) -> None:
        """End the connection; calls from now on raise `NotConnected`."""
        self._closed = True
        await self._channel.close()
