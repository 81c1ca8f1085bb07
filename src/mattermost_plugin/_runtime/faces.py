"""What stands behind every method of the blocking API: one call, whatever carries it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from mattermost_plugin._grpc import RpcError, as_is
from mattermost_plugin._runtime.statuses import call_error, files_of, not_connected, unavailable_here

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import BinaryIO

    from typing_extensions import Self

    from mattermost_plugin._codec.methods import Method
    from mattermost_plugin._grpc.threads import Channel
    from mattermost_plugin._grpc.threads.client_calls import StreamCall
    from mattermost_plugin._runtime.file_calls import Download
    from mattermost_plugin.errors import PluginError
    from mattermost_plugin.files import Content

__all__ = ["DEFAULT_TIMEOUT", "ChannelTransport", "SyncFace", "Transport"]

# Seconds. Longer than anything the server answers by itself, short enough that no thread hangs for ever.
DEFAULT_TIMEOUT = 60.0

_T = TypeVar("_T")


class Transport(Protocol):
    """Carries the bytes of a call to the host and back."""

    def __call__(self, method: Method, request: bytes, timeout: float | None, /) -> bytes:
        """Return the response, or raise a `PluginError` for a call that failed."""
        ...


class SyncFace:
    """Base of the generated `API`: every method is one `_call`."""

    __slots__ = ("_timeout", "_transport")

    def __init__(self, transport: Transport, timeout: float | None = DEFAULT_TIMEOUT) -> None:
        self._transport = transport
        self._timeout = timeout

    def with_timeout(self, seconds: float | None) -> Self:
        """Return the same API whose calls wait `seconds` for an answer; None: without limit."""
        return type(self)(self._transport, seconds)

    def _call(self, method: Method, /, *args: Any) -> _T:  # type: ignore[type-var] # the declared result decides
        if method.unavailable:
            raise unavailable_here(method)
        codec = method.codec
        response = self._transport(method, codec.encode_request(*args), self._timeout)
        return codec.decode_response(response)  # type: ignore[no-any-return] # as above

    def _send(self, method: Method, content: Content, /, *args: Any) -> _T:  # type: ignore[type-var]
        """Call a method whose request is a stream: the arguments, then the content."""
        from mattermost_plugin._runtime.file_calls import messages
        from mattermost_plugin._runtime.pieces import check_content, pieces

        name = f"{method.name}(): content"
        check_content(content, name)
        codec = method.codec
        requests = messages(codec.encode_request(*args), pieces(content, name))
        response = files_of(self._transport).upload(method, requests, self._timeout)
        return codec.decode_response(response)  # type: ignore[no-any-return] # as above

    def _receive(self, method: Method, /, *args: Any) -> bytes:
        """Call a method whose response is a stream, and return all of it."""
        download = self._begin(method, *args)
        try:
            return b"".join(download)
        finally:
            download.close()

    def _open(self, method: Method, /, *args: Any) -> BinaryIO:
        """Call a method whose response is a stream, and return it as a file to read from."""
        from mattermost_plugin._runtime.pieces import file_to_read

        download = self._begin(method, *args)
        return file_to_read(iter(download), download.close)

    def _begin(self, method: Method, /, *args: Any) -> Download:
        request = method.codec.encode_request(*args)
        download: Download = files_of(self._transport).download(method, request, self._timeout)
        try:
            method.codec.decode_response(download.head())  # raises the error that stands in it
        except BaseException:
            download.close()
            raise
        return download


class ChannelTransport:
    """Calls the host over a gRPC channel, from any number of threads."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._calls: dict[Method, Callable[..., bytes]] = {}
        self._closed = False

    def __call__(self, method: Method, request: bytes, timeout: float | None, /) -> bytes:
        """Make the call and turn a failure into a `PluginError`."""
        call = self._calls.get(method)
        if call is None:
            call = self._calls[method] = self._channel.unary_unary(method.path, as_is, as_is).call
        try:
            return call(request, timeout)
        except RpcError as error:
            raise self._failed(error, method, timeout) from None

    def upload(self, method: Method, requests: Iterable[bytes], timeout: float | None) -> bytes:
        """Make a call whose request is a stream and turn a failure into a `PluginError`."""
        from mattermost_plugin._runtime.file_calls import upload

        try:
            return upload(self._channel, method, requests, timeout)
        except RpcError as error:
            raise self._failed(error, method, timeout) from None

    def download(self, method: Method, request: bytes, timeout: float | None) -> Download:
        """Begin a call whose response is a stream; its failures are `PluginError`s too."""
        from mattermost_plugin._runtime.file_calls import Download

        failed = partial(self._failed, method=method, timeout=timeout)
        return Download(self._channel, method, request, timeout, failed)

    def stream(self, method: Method, requests: Iterable[bytes]) -> StreamCall:
        """Begin a call whose requests and responses are streams; the requests are taken on another thread.

        Raises:
            RpcError: The host cannot be reached.
        """
        return self._channel.stream_stream(method.path, as_is, as_is)(requests)

    def close(self) -> None:
        """End the connections; calls from now on raise `NotConnected`."""
        self._closed = True
        self._channel.close()

    def _failed(self, error: RpcError, method: Method, timeout: float | None) -> PluginError:
        return not_connected() if self._closed else call_error(error, method, timeout)
