"""Runs handlers on the event loop."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any, Final

from mattermost_plugin._grpc.aio.streaming import Requests, send_all
from mattermost_plugin._grpc.calls import DEADLINE_EXCEEDED, BaseServerCall, status_of_failure
from mattermost_plugin._grpc.status import Metadata, Status, StatusCode

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from mattermost_plugin._grpc.aio.server_transport import ServerTransport
    from mattermost_plugin._grpc.handlers import Handler
    from mattermost_plugin._grpc.streams import Stream

__all__ = ["ServerCall"]

# Where it exists: a handler that never waits is done before the next call is looked at.
_EAGER: Final[dict[str, Any]] = {"eager_start": True} if sys.version_info >= (3, 12) else {}


class ServerCall(BaseServerCall):
    """One call as its handler sees it."""

    __slots__ = ("_news", "_task", "_transport")

    def __init__(self, transport: ServerTransport, stream: Stream, handler: Handler) -> None:
        super().__init__(transport.core, stream, handler, transport.peer)
        self._transport = transport
        self._task: asyncio.Task[None] | None = None
        self._news: list[asyncio.Future[None]] = []

    def send_initial_metadata(self, metadata: Metadata) -> None:
        """Send metadata before the first message.

        Raises:
            ValueError, TypeError: metadata that gRPC does not allow.
        """
        self._connection.send_initial_metadata(self._stream, metadata)
        self._transport.flush_soon()

    async def send(self, response: Any) -> None:
        """Send a response of a method that streams them, and wait while the client takes no more."""
        core, stream = self._connection, self._stream
        core.send_response(stream, self._handler.serialize(response))
        self._transport.flush_soon()
        while not core.has_room(stream):
            stream.wants_room = True
            await self._wait()
        if stream.local_closed:
            raise asyncio.CancelledError

    # ---- the handler's run

    def run_unary(self, message: bytes) -> None:
        """Run a handler of one request and one response; a plain function answers before this returns."""
        handler = self._handler
        awaitable = None
        try:
            result = handler.function(handler.deserialize(message), self)
            if hasattr(result, "__await__"):
                awaitable = result
            else:
                self._reply(handler.serialize(result))
        except Exception as error:  # noqa: BLE001 - whatever a handler raises is the call's status
            self._finish(status_of_failure(self, error))
        if awaitable is None:
            self._let_go()
        else:
            self._start(self._finish_unary(awaitable))

    def run_streaming(self, message: bytes | None) -> None:
        """Run any other handler; `message` is the request if it is a single one."""
        self._start(self._run_streaming(message))

    def _start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self._transport.running.add(self)
        self._task = asyncio.Task(coroutine, loop=self._transport.loop, **_EAGER)

    async def _finish_unary(self, awaitable: Any) -> None:
        try:
            self._reply(self._handler.serialize(await awaitable))
        except asyncio.CancelledError:
            self._finish(self._cancelled_status())
            raise
        except Exception as error:  # noqa: BLE001 - see run_unary
            self._finish(status_of_failure(self, error))
        finally:
            self._let_go()
            self._transport.call_ended(self)

    async def _run_streaming(self, message: bytes | None) -> None:
        handler = self._handler
        try:
            request = Requests(self, handler.deserialize) if message is None else handler.deserialize(message)
            result = handler.function(request, self)
            if handler.kind.response_streams:
                await send_all(self, await result if hasattr(result, "__await__") else result)
                self._finish(self._status())
            else:
                response = await result if hasattr(result, "__await__") else result
                self._reply(handler.serialize(response))
        except asyncio.CancelledError:
            self._finish(self._cancelled_status())
            raise
        except Exception as error:  # noqa: BLE001 - see run_unary
            self._finish(status_of_failure(self, error))
        finally:
            self._let_go()
            self._transport.call_ended(self)

    async def next_message(self) -> bytes | None:
        """Wait for the next message of the request and return it, None at the end."""
        core, stream = self._connection, self._stream
        while not stream.messages:
            if stream.reset_code is not None or stream.local_closed:
                raise asyncio.CancelledError
            if stream.remote_closed:
                return None
            await self._wait()
        message = core.take(stream)
        if core.has_output:
            self._transport.flush_soon()
        return message

    async def _wait(self) -> None:
        # Several tasks of a handler may wait: one that reads requests, one that sends.
        news = asyncio.get_running_loop().create_future()
        self._news.append(news)
        try:
            await news
        finally:
            self._news.remove(news)

    def on_news(self) -> None:
        """Hear from the connection."""
        if self._stream.local_closed:
            self.cancel()
        self.on_room()

    def on_room(self) -> None:
        """Hear that something changed: news, or room to send."""
        for news in self._news:
            if not news.done():
                news.set_result(None)

    def cancel(self) -> None:
        """Cancel the handler."""
        if self._task is not None:
            # A task that is cancelled before its first step never gets to `call_ended`.
            self._task.add_done_callback(lambda _: self._transport.running.discard(self))
            self._task.cancel()

    def on_deadline(self) -> None:
        """End the call, and cancel the handler."""
        self._connection.finish(self._stream, DEADLINE_EXCEEDED)
        self.cancel()

    def _reply(self, message: bytes) -> None:
        if self._trailing:
            self._connection.send_response(self._stream, message)
            self._connection.finish(self._stream, self._status())
        else:
            self._connection.reply(self._stream, message)

    def _finish(self, status: Status) -> None:
        try:
            self._connection.finish(self._stream, status)
        except (ValueError, TypeError) as error:  # metadata that cannot be sent
            self._connection.finish(self._stream, status_of_failure(self, error))

    def _cancelled_status(self) -> Status:
        return (
            DEADLINE_EXCEEDED if self.cancelled else Status(StatusCode.CANCELLED, "the handler was cancelled")
        )
