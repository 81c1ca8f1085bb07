"""The blocking API of an `AsyncPlugin`, for `def` hooks: a thread waits, the event loop makes the call."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import CancelledError, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from mattermost_plugin import _forks
from mattermost_plugin._runtime.statuses import not_connected
from mattermost_plugin.errors import UsedAfterFork

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator

    from mattermost_plugin._codec.methods import Method
    from mattermost_plugin._runtime.faces_async import AsyncChannelTransport
    from mattermost_plugin._runtime.file_calls_async import AsyncDownload

__all__ = ["LoopTransport"]


class LoopTransport:
    """Calls the host over the channel of an event loop, from any number of other threads."""

    def __init__(self, transport: AsyncChannelTransport, loop: asyncio.AbstractEventLoop) -> None:
        """Keep the transport and its loop, on the thread of that loop."""
        self._transport = transport
        self._loop = loop
        self._thread = threading.get_ident()
        self._forks = _forks.count

    def __call__(self, method: Method, request: bytes, timeout: float | None, /) -> bytes:
        """Make the call and turn a failure into a `PluginError`."""

        async def call() -> bytes:
            return await self._transport.raw(method, request, timeout)

        response: bytes = self._wait(call)
        return response

    def upload(self, method: Method, requests: Iterable[bytes], timeout: float | None) -> bytes:
        """Make a call whose request is a stream; the requests are taken on a thread of this call."""

        async def call() -> bytes:
            with ThreadPoolExecutor(1, "mattermost-plugin-upload") as taking:
                return await self._transport.upload(method, _taken(iter(requests), taking), timeout)

        response: bytes = self._wait(call)
        return response

    def download(self, method: Method, request: bytes, timeout: float | None) -> _Download:
        """Begin a call whose response is a stream."""

        async def begin() -> AsyncDownload:
            return self._transport.download(method, request, timeout)

        return _Download(self._wait(begin), self._wait)

    def _wait(self, call: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """Return what a coroutine of the loop returns.

        Raises:
            RuntimeError: This is the loop's own thread, which would wait for itself.
            NotConnected: The loop has ended.
            UsedAfterFork: This is a forked child, which has no loop.
        """
        if _forks.count != self._forks:
            raise UsedAfterFork(_forks.FORKED)
        if threading.get_ident() == self._thread:
            raise RuntimeError(
                "self.blocking_api would block the event loop, which makes its calls: await self.api here, "
                "or call it on another thread, by asyncio.to_thread or in a def hook"
            )
        if self._loop.is_closed():
            raise not_connected()
        waiting = asyncio.run_coroutine_threadsafe(call(), self._loop)
        try:
            return waiting.result()
        except CancelledError:
            raise not_connected() from None
        except BaseException:
            waiting.cancel()
            raise


async def _taken(requests: Iterator[bytes], taking: ThreadPoolExecutor) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    while (request := await loop.run_in_executor(taking, next, requests, None)) is not None:
        yield request


class _Download:
    """The messages of a response that streams: the head, then pieces of content."""

    def __init__(
        self, download: AsyncDownload, wait: Callable[[Callable[[], Coroutine[Any, Any, Any]]], Any]
    ) -> None:
        self._download = download
        self._wait = wait
        self._pieces = download.__aiter__()

    def head(self) -> bytes:
        """Return the first message."""
        head: bytes = self._wait(self._download.head)
        return head

    def __iter__(self) -> Iterator[memoryview]:
        async def following() -> memoryview | None:
            async for piece in self._pieces:
                return piece
            return None

        while (piece := self._wait(following)) is not None:
            yield piece

    def close(self) -> None:
        """End the call, whether or not all was read."""
        self._wait(self._download.close)
