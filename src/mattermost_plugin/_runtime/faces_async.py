"""What stands behind every method of the awaitable API: one call, whatever carries it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from mattermost_plugin._grpc import RpcError, as_is
from mattermost_plugin._runtime.faces import DEFAULT_TIMEOUT
from mattermost_plugin._runtime.statuses import call_error, files_of, not_connected, unavailable_here

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable

    from typing_extensions import Self

    from mattermost_plugin._codec.methods import Method
    from mattermost_plugin._grpc.aio import Channel
    from mattermost_plugin._grpc.aio.client_calls import StreamCall
    from mattermost_plugin._runtime.file_calls_async import AsyncDownload
    from mattermost_plugin.errors import PluginError
    from mattermost_plugin.files import AsyncContent, AsyncReader

__all__ = ["AsyncChannelTransport", "AsyncFace", "AsyncTransport"]

_T = TypeVar("_T")


class AsyncTransport(Protocol):
    """Carries a call to the host and back."""

    def __call__(self, method: Method, request: bytes, timeout: float | None, /) -> Awaitable[Any]:
        """Return what gives the decoded response, or raises a `PluginError` for a call that failed.

        Decoded here, because to do so behind an `await` would take each call another coroutine.
        """
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

    def _call(self, method: Method, /, *args: Any) -> Awaitable[_T]:  # the declared result decides
        if method.unavailable:
            raise unavailable_here(method)
        return self._transport(method, method.codec.encode_request(*args), self._timeout)

    async def _send(self, method: Method, content: AsyncContent, /, *args: Any) -> _T:
        """Call a method whose request is a stream: the arguments, then the content."""
        from mattermost_plugin._runtime.file_calls_async import messages
        from mattermost_plugin._runtime.pieces import check_content
        from mattermost_plugin._runtime.pieces_async import pieces

        name = f"{method.name}(): content"
        check_content(content, name, asynchronous=True)
        codec = method.codec
        requests = messages(codec.encode_request(*args), pieces(content, name))
        response = await files_of(self._transport).upload(method, requests, self._timeout)
        return codec.decode_response(response)  # type: ignore[no-any-return] # as above

    async def _receive(self, method: Method, /, *args: Any) -> bytes:
        """Call a method whose response is a stream, and return all of it."""
        download = await self._begin(method, *args)
        try:
            return b"".join([piece async for piece in download])
        finally:
            await download.close()

    async def _open(self, method: Method, /, *args: Any) -> AsyncReader:
        """Call a method whose response is a stream, and return it as a file to read from."""
        from mattermost_plugin.files import AsyncReader

        download = await self._begin(method, *args)
        return AsyncReader(download.__aiter__(), download.close)

    async def _begin(self, method: Method, /, *args: Any) -> AsyncDownload:
        request = method.codec.encode_request(*args)
        download: AsyncDownload = files_of(self._transport).download(method, request, self._timeout)
        try:
            method.codec.decode_response(await download.head())  # raises the error that stands in it
        except BaseException:
            await download.close()
            raise
        return download


class AsyncChannelTransport:
    """Calls the host over a gRPC channel of the running loop."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._calls: dict[Method, Callable[..., Awaitable[Any]]] = {}
        self._closed = False

    def __call__(self, method: Method, request: bytes, timeout: float | None, /) -> Awaitable[Any]:
        """Make the call, decode its response and turn a failure into a `PluginError`."""
        call = self._calls.get(method)
        if call is None:
            failed = partial(self._failed, method=method)
            decode = method.codec.decode_response
            call = self._calls[method] = self._channel.unary_unary(method.path, as_is, decode, failed)
        return call(request, timeout=timeout)

    def raw(self, method: Method, request: bytes, timeout: float | None) -> Awaitable[bytes]:
        """Make the call and return its response as it came; a failure is a `PluginError`."""
        failed = partial(self._failed, method=method)
        call: Callable[..., Awaitable[bytes]] = self._channel.unary_unary(method.path, as_is, as_is, failed)
        return call(request, timeout=timeout)

    async def upload(self, method: Method, requests: AsyncIterator[bytes], timeout: float | None) -> bytes:
        """Make a call whose request is a stream and turn a failure into a `PluginError`."""
        from mattermost_plugin._runtime.file_calls_async import upload

        try:
            return await upload(self._channel, method, requests, timeout)
        except RpcError as error:
            raise self._failed(error, method, timeout) from None

    def download(self, method: Method, request: bytes, timeout: float | None) -> AsyncDownload:
        """Begin a call whose response is a stream; its failures are `PluginError`s too."""
        from mattermost_plugin._runtime.file_calls_async import AsyncDownload

        failed = partial(self._failed, method=method, timeout=timeout)
        return AsyncDownload(self._channel, method, request, timeout, failed)

    def stream(self, method: Method, requests: AsyncIterable[bytes]) -> StreamCall:
        """Return a call whose requests and responses are streams; it begins when it is first waited for."""
        return self._channel.stream_stream(method.path, as_is, as_is)(requests)

    async def close(self) -> None:
        """End the connection; calls from now on raise `NotConnected`."""
        self._closed = True
        await self._channel.close()

    def _failed(self, error: RpcError, method: Method, timeout: float | None) -> PluginError:
        return not_connected() if self._closed else call_error(error, method, timeout)
