"""How requests and WebSockets that take long hear that the plugin ends."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mattermost_plugin.http._asgi import Message, Receive, Send

__all__ = ["Closing"]

# "Going away" (RFC 6455, 7.4.1).
_GOING_AWAY = 1001


class Closing:
    """Whether the plugin ends.

    Attributes:
        event: The same for threads.
    """

    def __init__(self) -> None:
        self.event = threading.Event()
        self._sockets: set[_WebSocket] = set()

    def is_set(self) -> bool:
        """Whether it does."""
        return self.event.is_set()

    def set(self) -> None:
        """Say that it does; on the event loop."""
        self.event.set()
        for socket in list(self._sockets):
            socket.wake()

    def of_request(self, receive: Receive) -> Receive:
        """Return a `receive` that returns `http.disconnect` once the plugin ends, and someone wakes it."""
        first = True

        async def received() -> Message:
            nonlocal first
            if self.is_set() and not first:
                return {"type": "http.disconnect"}
            before, first = first, False
            message = await receive()
            woken = self.is_set() and not before and not message.get("body")
            return {"type": "http.disconnect"} if woken else message

        return received

    def of_websocket(self, receive: Receive, send: Send) -> _WebSocket:
        """Return a WebSocket that is closed when the plugin ends. It is to be released."""
        socket = _WebSocket(receive, send, self._sockets)
        self._sockets.add(socket)
        if self.is_set():
            socket.wake()
        return socket


class _WebSocket:
    def __init__(self, receive: Receive, send: Send, sockets: set[_WebSocket]) -> None:
        self._receive = receive
        self._send = send
        self._sockets = sockets
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._next: asyncio.Future[Message] | None = None
        self._open = True

    def wake(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)

    def release(self) -> None:
        self._sockets.discard(self)
        if self._next is not None:
            self._next.cancel()

    async def receive(self) -> Message:
        if self._next is None:
            self._next = asyncio.ensure_future(_message(self._receive))
        waiting: set[asyncio.Future[Any]] = {self._next, self._ended}
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if self._next.done():
            received, self._next = self._next, None
            return received.result()
        await self.close()
        return {"type": "websocket.disconnect", "code": _GOING_AWAY, "reason": ""}

    async def send(self, message: Message) -> None:
        # After the end there is nobody to send to; the application hears of it by its next message.
        if self._open:
            self._open = message["type"] not in ("websocket.close", "websocket.http.response.start")
            await self._send(message)
        elif not self._ended.done() or message["type"].startswith("websocket.http"):
            await self._send(message)

    async def close(self) -> None:
        if self._open:
            self._open = False
            await self._send({"type": "websocket.close", "code": _GOING_AWAY})


async def _message(receive: Receive) -> Message:
    return await receive()
