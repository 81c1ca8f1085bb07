"""WSGI applications on an ASGI server: a2wsgi, made to notice clients that leave."""

from __future__ import annotations

import asyncio
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from a2wsgi.wsgi import WSGIResponder

from mattermost_plugin.http._errors import ClientDisconnected
from mattermost_plugin.http._info import KEY

if TYPE_CHECKING:
    from mattermost_plugin.http._asgi import Message, Receive, Scope, Send

__all__ = ["WSGIAdapter"]

# Requests that are worked on at the same time; threads are made when they are needed.
_WORKERS = 64

# Pieces of a response that wait to be sent.
_QUEUE = 10


class WSGIAdapter:
    """An ASGI application that runs a WSGI application in threads."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._threads = ThreadPoolExecutor(_WORKERS, thread_name_prefix="wsgi")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            watched = _WatchedClient(receive, _has_body(scope))
            try:
                responder = _Responder(self._app, self._threads, watched)
                await responder(scope, watched.receive, send)  # type: ignore[arg-type] # its own ASGI types
            finally:
                watched.close()
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close"})
        else:
            await self._live(receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                self._threads.shutdown(wait=False, cancel_futures=True)
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return


def _has_body(scope: Scope) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip(b" 0"))
        for name, value in scope["headers"]
    )


class _WatchedClient:
    """The messages of a client, read on after the body so that its leaving is noticed."""

    def __init__(self, receive: Receive, has_body: bool) -> None:
        self._receive = receive
        self._watch: asyncio.Task[None] | None = None
        self._bodyless = not has_body
        self.gone = threading.Event()

    async def receive(self) -> Message:
        """Return the next part of the body.

        Raises:
            ClientDisconnected: There is none, although there should be.
        """
        if self._bodyless:
            self.watch()
            return {"type": "http.request", "body": b"", "more_body": False}
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self.gone.set()
            raise ClientDisconnected("the client left before it had sent the whole body")
        if not message.get("more_body", False):
            self.watch()
        return message

    def watch(self) -> None:
        """Wait for the client to leave, from the end of its body on."""
        if self._watch is None:
            self._watch = asyncio.create_task(self._wait())

    async def _wait(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.gone.set()

    def watch_if_bodyless(self) -> None:
        """As `watch`, for a request without a body, which nobody need have read."""
        if self._bodyless:
            self.watch()

    def close(self) -> None:
        """End the watch. All was sent, or the request was given up: there is nobody to send to any more."""
        self.gone.set()
        if self._watch is not None:
            self._watch.cancel()


class _Responder(WSGIResponder):
    """Runs one request; without a client the application is not asked for more."""

    def __init__(self, app: Any, threads: ThreadPoolExecutor, client: _WatchedClient) -> None:
        super().__init__(app, threads, _QUEUE)
        self._client = client
        client.watch_if_bodyless()

    def send(self, message: Any) -> None:
        """Hand a part of the response to the event loop; called in the request's thread."""
        if self._client.gone.is_set():
            raise ClientDisconnected("the client has left")
        super().send(message)

    def wsgi(self, environ: Any, start_response: Any) -> None:
        """Call the application; called in the request's thread."""
        info = environ["asgi.scope"][KEY]
        environ[KEY] = info
        environ["wsgi.errors"] = sys.stderr
        # The body ends where it ends, also when its length was not announced.
        environ["wsgi.input_terminated"] = True
        try:
            super().wsgi(environ, start_response)
        except ClientDisconnected:
            if not self._client.gone.is_set():
                raise
