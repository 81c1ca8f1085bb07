"""Requests to other plugins, as transports of httpx.

```python
client = httpx.Client(transport=PluginTransport(self.api))
client.get("http://com.example.other/api/status")
```

The host of the URL is the id of the plugin that is asked; the server tells it who asks in the header
`Mattermost-Plugin-ID`.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
from typing import TYPE_CHECKING, Any

from mattermost_plugin._gen.api_methods import API as METHODS
from mattermost_plugin._grpc import RpcError, StatusCode
from mattermost_plugin._grpc.status import ForkedError
from mattermost_plugin.errors import NotSupported, UsedAfterFork
from mattermost_plugin.http._extra import need
from mattermost_plugin.http._messages import chunk_of, decode_head, encode_chunk, encode_head

need("httpx", extra="httpx")

import httpx  # noqa: E402 - what is missing is said first

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from mattermost_plugin.api import API, AsyncAPI

__all__ = ["AsyncPluginTransport", "PluginTransport"]

_METHOD = METHODS["plugin_http"]

# As the server has it.
_PLUGIN_ID = re.compile(r"[A-Za-z0-9._-]+")

# Bytes in a message.
_PIECE = 256 * 1024


class PluginTransport(httpx.BaseTransport):
    """Carries the requests of an `httpx.Client` to other plugins.

    Of httpx's timeouts `read` holds: for the beginning of the response once the request is sent, and for
    each piece of its body.

    Args:
        api: The plugin's API.
        plugin_id: The plugin that is asked whatever the host of the URL is; needed for ids with upper-case
            letters, which a URL does not keep. Empty: the URL's host.

    Raises:
        NotSupported: The host of this plugin cannot do it.
    """

    def __init__(self, api: API, plugin_id: str = "") -> None:
        self._stream = _stream_of(api)
        self._plugin_id = plugin_id

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return the response when its head is there."""
        timeout = _read_timeout(request)
        waiting = _Watch(timeout)

        head = _head(request, self._plugin_id)

        def messages() -> Iterator[bytes]:
            yield head
            assert isinstance(request.stream, httpx.SyncByteStream)
            for data in request.stream:
                yield from _pieces(data)
            waiting.start()

        with _translated(request, waiting):
            call = self._stream(_METHOD, messages())
            waiting.cancel = call.cancel
            try:
                status, headers = decode_head(_first(next(call, None)))
                length = _length(request, status, headers)
            except BaseException:
                call.cancel()
                raise
            finally:
                waiting.stop()
        body = _Body(call, request, timeout, length)
        return httpx.Response(status, headers=headers, stream=body)


class AsyncPluginTransport(httpx.AsyncBaseTransport):
    """Carries the requests of an `httpx.AsyncClient` to other plugins; see `PluginTransport`.

    Args:
        api: The plugin's API.
        plugin_id: The plugin that is asked whatever the host of the URL is. Empty: the URL's host.

    Raises:
        NotSupported: The host of this plugin cannot do it.
    """

    def __init__(self, api: AsyncAPI, plugin_id: str = "") -> None:
        self._stream = _stream_of(api)
        self._plugin_id = plugin_id

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return the response when its head is there."""
        timeout = _read_timeout(request)
        sent = asyncio.Event()

        head = _head(request, self._plugin_id)

        async def messages() -> AsyncIterator[bytes]:
            yield head
            assert isinstance(request.stream, httpx.AsyncByteStream)
            async for data in request.stream:
                for message in _pieces(data):
                    yield message
            sent.set()

        call = self._stream(_METHOD, messages())
        with _translated(request):
            try:
                status, headers = decode_head(_first(await _head_of(call, sent, timeout)))
                length = _length(request, status, headers)
            except BaseException:
                call.cancel()
                raise
        body = _AsyncBody(call, request, timeout, length)
        return httpx.Response(status, headers=headers, stream=body)


class _Body(httpx.SyncByteStream):
    def __init__(self, call: Any, request: httpx.Request, timeout: float | None, length: int | None) -> None:
        self._call = call
        self._request = request
        self._timeout = timeout
        self._length = length

    def __iter__(self) -> Iterator[bytes]:
        received = 0
        with _translated(self._request):
            while True:
                self._call.allow(self._timeout)
                message = next(self._call, None)
                if message is None:
                    break
                data = chunk_of(message)
                received += len(data)
                if self._length is not None and received > self._length:
                    break
                yield data
            _check(received, self._length)

    def close(self) -> None:
        self._call.cancel()


class _AsyncBody(httpx.AsyncByteStream):
    def __init__(self, call: Any, request: httpx.Request, timeout: float | None, length: int | None) -> None:
        self._call = call
        self._request = request
        self._timeout = timeout
        self._length = length

    async def __aiter__(self) -> AsyncIterator[bytes]:
        received = 0
        with _translated(self._request):
            while True:
                message = await asyncio.wait_for(_next(self._call), self._timeout)
                if message is None:
                    break
                data = chunk_of(message)
                received += len(data)
                if self._length is not None and received > self._length:
                    break
                yield data
            _check(received, self._length)

    async def aclose(self) -> None:
        self._call.cancel()


class _Watch:
    """Ends a call that is not answered in time, counted from when the request was sent."""

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()
        self._over = False
        self.cancel: Callable[[], None] | None = None
        self.expired = False

    def start(self) -> None:
        with self._lock:
            if self._seconds is not None and not self._over:
                self._timer = threading.Timer(self._seconds, self._expire)
                self._timer.daemon = True
                self._timer.start()

    def stop(self) -> None:
        with self._lock:
            self._over = True
            if self._timer is not None:
                self._timer.cancel()

    def _expire(self) -> None:
        self.expired = True
        if self.cancel is not None:
            self.cancel()


async def _head_of(call: Any, sent: asyncio.Event, timeout: float | None) -> bytes | None:
    """Return the first message; the time for it begins when the request is sent."""
    first = asyncio.ensure_future(_next(call))
    sending = asyncio.ensure_future(sent.wait())
    try:
        await asyncio.wait((first, sending), return_when=asyncio.FIRST_COMPLETED)
        return await asyncio.wait_for(first, timeout)
    finally:
        sending.cancel()
        first.cancel()


async def _next(call: Any) -> bytes | None:
    try:
        message: bytes = await call.__anext__()
    except StopAsyncIteration:
        return None
    return message


def _stream_of(api: Any) -> Callable[..., Any]:
    stream: Callable[..., Any] | None = getattr(api._transport, "stream", None)
    if stream is None:
        raise NotSupported(
            "the host of this plugin does not pass requests on to other plugins", method="PluginHTTP"
        )
    return stream


def _head(request: httpx.Request, plugin_id: str) -> bytes:
    plugin_id = plugin_id or request.url.host
    if not _PLUGIN_ID.fullmatch(plugin_id):
        raise httpx.UnsupportedProtocol(f"{plugin_id[:40]!r} is no id of a plugin", request=request)
    target = f"/{plugin_id}{request.url.raw_path.decode('ascii')}"
    try:
        return encode_head(request.method, target, request.url.netloc.decode("ascii"), request.headers.raw)
    except ValueError as error:
        raise httpx.LocalProtocolError(str(error), request=request) from error


def _pieces(data: bytes) -> Iterator[bytes]:
    for at in range(0, len(data), _PIECE):
        yield encode_chunk(data[at : at + _PIECE])


def _first(message: bytes | None) -> bytes:
    if message is None:
        raise ValueError("the host ended the call without a response")
    return message


def _length(request: httpx.Request, status: int, headers: list[tuple[bytes, bytes]]) -> int | None:
    """Return how long the body has to be; None: nobody said.

    Raises:
        ValueError: The headers do not agree on it.
    """
    lengths = {value for name, value in headers if name.lower() == b"content-length"}
    if len(lengths) > 1 or not all(value.isdigit() for value in lengths):
        raise ValueError("the response has no one length")
    if request.method == "HEAD" or status in (204, 304):
        return 0
    return int(lengths.pop()) if lengths else None


def _check(received: int, length: int | None) -> None:
    if length is not None and received < length:
        raise httpx.RemoteProtocolError(f"the response ended after {received} of {length} bytes")
    if length is not None and received > length:
        raise httpx.RemoteProtocolError(f"the response has more than the {length} bytes that it can have")


def _read_timeout(request: httpx.Request) -> float | None:
    timeout: float | None = request.extensions.get("timeout", {}).get("read")
    return timeout


@contextlib.contextmanager
def _translated(request: httpx.Request, watch: _Watch | None = None) -> Iterator[None]:
    """Turn what the call raises into the exceptions of httpx."""
    try:
        yield
    except ForkedError as error:
        raise UsedAfterFork(error.message) from None
    except RpcError as error:
        expired = watch is not None and watch.expired
        if expired or error.code is StatusCode.DEADLINE_EXCEEDED:
            raise httpx.ReadTimeout("the plugin did not answer in time", request=request) from error
        kind = httpx.ConnectError if error.code is StatusCode.UNAVAILABLE else httpx.ReadError
        raise kind(error.message, request=request) from error
    except asyncio.TimeoutError as error:
        raise httpx.ReadTimeout("the plugin did not answer in time", request=request) from error
    except ValueError as error:
        raise httpx.RemoteProtocolError(str(error), request=request) from error
