"""WSGI applications on an ASGI server: in threads, which no client can keep for long."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import logging
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from a2wsgi.wsgi import build_environ

from mattermost_plugin._forks import Boundary
from mattermost_plugin.http._errors import ClientDisconnected
from mattermost_plugin.http._info import KEY
from mattermost_plugin.http._limits import HTTPLimits
from mattermost_plugin.http._scope import ABANDONED
from mattermost_plugin.http._spool import BodyRefused, spooled

if TYPE_CHECKING:
    from collections.abc import Callable

    from mattermost_plugin.http._asgi import Message, Receive, Scope, Send

__all__ = ["WSGIAdapter"]

logger = logging.getLogger("mattermost_plugin.http")

# Pieces of a response that wait to be sent.
_QUEUE = 10

# Threads that write bodies to files.
_WRITERS = 4


class WSGIAdapter:
    """An ASGI application that runs a WSGI application in threads."""

    def __init__(self, app: Any, limits: HTTPLimits | None = None) -> None:
        self._app = app
        self._limits = limits or HTTPLimits()
        self._threads = ThreadPoolExecutor(self._limits.workers, thread_name_prefix="wsgi")
        self._writers = ThreadPoolExecutor(_WRITERS, thread_name_prefix="wsgi-body")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._serve(scope, receive, send)
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
                self._writers.shutdown(wait=False, cancel_futures=True)
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body, size = await spooled(scope, receive, self._limits, self._writers)
        except BodyRefused as refused:
            logger.info("%s %s was refused: %s", scope["method"], scope["path"], refused)
            await _refuse(send, HTTPStatus(refused.status))
            return
        except ClientDisconnected:
            return
        response = _Response(send, self._limits.send_timeout)
        watch = asyncio.create_task(_watch(scope, receive, response.gone))
        try:
            environ = build_environ(scope, body)  # type: ignore[arg-type] # its own ASGI types
            await self._run(environ, size, response)
        finally:
            response.gone.set()
            watch.cancel()
            body.close()
        if response.stuck:
            logger.info("%s %s was broken off: its client reads nothing", scope["method"], scope["path"])
            scope[ABANDONED] = True

    async def _run(self, environ: Any, size: int, response: _Response) -> None:
        environ[KEY] = environ["asgi.scope"][KEY]
        environ["wsgi.errors"] = sys.stderr
        # The body ends where it ends. Some frameworks read none whose length they are not told.
        environ["wsgi.input_terminated"] = True
        environ["CONTENT_LENGTH"] = str(size)
        sender = asyncio.create_task(response.run())
        try:
            work = contextvars.copy_context().run
            await asyncio.get_running_loop().run_in_executor(
                self._threads, work, _call, self._app, environ, response
            )
            if not response.gone.is_set():
                await response.finish()
                await sender
        finally:
            sender.cancel()


def _call(app: Any, environ: Any, response: _Response) -> None:
    """Call the application; in the request's thread."""
    try:
        with response.boundary:
            pieces = app(environ, response.start)
        try:
            for piece in pieces:
                response.write(piece)
            response.end()
        finally:
            close = getattr(pieces, "close", None)
            if close is not None:
                close()
    except ClientDisconnected:
        if not response.gone.is_set():
            raise


class _Response:
    """A response on its way from the request's thread to the event loop."""

    def __init__(self, send: Send, timeout: float) -> None:
        self._send = send
        self._timeout = timeout
        self._loop = asyncio.get_running_loop()
        self.boundary = Boundary()
        self._queue: asyncio.Queue[Message | None] = asyncio.Queue(_QUEUE)
        self._head: Message | None = None
        self._begun = False
        # Whether nobody reads any more, and whether that is because of the client's slowness.
        self.gone = threading.Event()
        self.stuck = False

    async def run(self) -> None:
        """Send what the thread hands over, until `finish`."""
        while (message := await self._queue.get()) is not None:
            await self._send(message)

    async def finish(self) -> None:
        """Say that nothing more comes."""
        await self._queue.put(None)

    def start(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], None]:
        """Be the `start_response` of WSGI (PEP 3333)."""
        if exc_info is not None and self._begun:
            raise exc_info[1].with_traceback(exc_info[2])
        if self._head is not None and exc_info is None:
            raise AssertionError("start_response was called twice")
        self._head = {
            "type": "http.response.start",
            "status": int(status.split(" ", 1)[0]),
            "headers": [
                (name.strip().encode("latin-1").lower(), value.strip().encode("latin-1"))
                for name, value in headers
            ],
        }
        return self.write

    def write(self, piece: bytes) -> None:
        """Hand over a piece of the body; the head goes with the first one."""
        if piece:
            self._begin()
            self._put({"type": "http.response.body", "body": piece, "more_body": True})

    def end(self) -> None:
        """Say that the body is complete."""
        self._begin()
        self._put({"type": "http.response.body", "body": b""})

    def _begin(self) -> None:
        if self._head is None:
            raise AssertionError("the application sent a body before it called start_response")
        if not self._begun:
            self._begun = True
            self._put(self._head)

    def _put(self, message: Message) -> None:
        self.boundary.check()
        if self.gone.is_set():
            raise ClientDisconnected("the client has left")
        handed = asyncio.run_coroutine_threadsafe(self._queue.put(message), self._loop)
        try:
            handed.result(self._timeout)
        except concurrent.futures.TimeoutError:
            handed.cancel()
            self.stuck = True
            self.gone.set()
            raise ClientDisconnected(f"the client read nothing for {self._timeout:g} s") from None


async def _watch(scope: Scope, receive: Receive, gone: threading.Event) -> None:
    """Wait for the client to leave. That the plugin ends is no reason to take the thread's response away."""
    while (await receive())["type"] != "http.disconnect":
        pass
    if not scope[KEY].closing.is_set():
        gone.set()


async def _refuse(send: Send, status: HTTPStatus) -> None:
    body = status.phrase.encode()
    headers = [
        (b"content-type", b"text/plain"),
        (b"content-length", b"%d" % len(body)),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status.value, "headers": headers})
    await send({"type": "http.response.body", "body": body})
