"""Turns what the host sends beside a request into what an application finds in its scope.

The host (go/internal/httpproxy/headers.go) sends it in headers that no client can set.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from mattermost_plugin._forks import Boundary
from mattermost_plugin._logger import get_logger
from mattermost_plugin.http._closing import Closing
from mattermost_plugin.http._info import KEY, RequestInfo

if TYPE_CHECKING:
    from collections.abc import Callable

    from mattermost_plugin.http._asgi import ASGIApp, Message, Receive, Scope, Send

__all__ = ["ABANDONED", "HostScope", "give_up"]

logger = get_logger("mattermost_plugin.http")

_RESERVED = b"x-mattermost-bridge-"
_CONTEXT = _RESERVED + b"context"
_ROOT = _RESERVED + b"root"
_REMOTE = _RESERVED + b"remote"

# Keys of a scope: the task that works on the request, and whether that was given up.
_TASK = "mattermost.task"
_GIVEN_UP = "mattermost.given_up"

# Key of a scope: the application returned although its response is not complete, and that is all there is.
ABANDONED = "mattermost.abandoned"

# Statuses of responses that end with their head, and the headers that say how long a body is.
_BODYLESS = frozenset({204, 304})
_FRAMING = frozenset({b"content-length", b"transfer-encoding"})

_SECURE = {"http": "https", "ws": "wss"}


class _Response:
    """The way to the client."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._bodyless = False
        self.complete = False

    async def send(self, message: Message) -> None:
        """Send a message, and let others run after each piece of a body.

        A response that must have no body gets none, whatever the application sends: uvicorn would send it,
        and who reads the connection would take it for the next response.

        When the client has left, uvicorn drops what is sent and returns at once. An application that never
        waits for anything else would then keep the event loop until its last piece, and never hear that
        nobody listens.
        """
        if message["type"] == "http.response.start":
            message = self._checked(message)
        elif self._bodyless and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await self._send(message)
        if message.get("more_body", False):
            await asyncio.sleep(0)
        elif message["type"] == "http.response.body":
            self.complete = True

    def _checked(self, message: Message) -> Message:
        """Return the head of a response, without what announces a body if there can be none."""
        status = message["status"]
        if not 200 <= status <= 599:
            raise ValueError(f"an application cannot answer with the status {status}")
        if status not in _BODYLESS:
            return message
        self._bodyless = True
        headers = [pair for pair in message.get("headers", ()) if bytes(pair[0]).lower() not in _FRAMING]
        return {**message, "headers": headers}


def give_up(scope: Scope) -> None:
    """Cancel the work on a request that nobody waits for, if it is still going on."""
    task = scope.get(_TASK)
    if task is not None and not task.done():
        scope[_GIVEN_UP] = True
        task.cancel()


class HostScope:
    """An ASGI application around another one, which gets scopes as if the server itself had called it.

    Args:
        app: The application.
        plugin: Whose it is.
        break_off: Closes the connection of a request, so that nobody takes the response for whole.
    """

    def __init__(self, app: ASGIApp, plugin: Any, break_off: Callable[[Scope], None]) -> None:
        self._app = app
        self._plugin = plugin
        self._boundary = Boundary()
        self._break_off = break_off
        self._running: list[Scope] = []
        self._closing = Closing()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        self._complete(scope)
        scope[_TASK] = asyncio.current_task()
        self._running.append(scope)
        try:
            if scope["type"] == "http":
                await self._request(scope, receive, send)
            else:
                await self._websocket(scope, receive, send)
        finally:
            self._running.remove(scope)

    def close(self) -> None:
        """Tell the requests that run that the plugin ends. Who waits in `receive` is to be woken."""
        self._closing.set()

    def give_up(self) -> None:
        """Break off the requests that still run."""
        for scope in list(self._running):
            give_up(scope)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = _Response(send)
        try:
            with self._boundary:
                await self._app(scope, self._closing.of_request(receive), response.send)
        except asyncio.CancelledError:
            if _GIVEN_UP not in scope:
                raise
            if self._closing.is_set():
                logger.info("%s %s was broken off: the plugin ends", scope["method"], scope["path"])
            else:
                logger.warning("%s %s was given up: its client has gone", scope["method"], scope["path"])
        except Exception as error:
            if not response.complete and not self._closing.is_set():
                raise
            if self._closing.is_set():
                logger.info("%s %s failed while the plugin ends: %r", scope["method"], scope["path"], error)
            else:
                # As Starlette does, after it has answered with a 500. Uvicorn would close the connection,
                # over which the host may have sent another request by now.
                logger.exception("Exception in ASGI application")
        if not response.complete and (ABANDONED in scope or self._closing.is_set()):
            self._break_off(scope)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        socket = self._closing.of_websocket(receive, send)
        try:
            await self._app(scope, socket.receive, socket.send)
        except asyncio.CancelledError:
            if _GIVEN_UP not in scope:
                raise
            logger.info("The WebSocket %s was closed: the plugin ends", scope["path"])
            await socket.close()
        except Exception as error:
            if not self._closing.is_set():
                raise
            logger.info("The WebSocket %s failed while the plugin ends: %r", scope["path"], error)
            await socket.close()
        finally:
            socket.release()

    def _complete(self, scope: Scope) -> None:
        headers: list[tuple[bytes, bytes]] = []
        special: dict[bytes, bytes] = {}
        for name, value in scope["headers"]:
            if name.startswith((_RESERVED, b"mattermost-")) or name == b"x-forwarded-proto":
                special[name] = value
            if not name.startswith(_RESERVED):
                headers.append((name, value))
        scope["headers"] = headers
        info = RequestInfo(
            self._plugin,
            special.get(b"mattermost-user-id", b"").decode("latin-1"),
            special.get(b"mattermost-plugin-id", b"").decode("latin-1"),
            special.get(_CONTEXT, b"").decode("latin-1"),
            self._closing.event,
        )
        scope[KEY] = info
        scope.setdefault("state", {})[KEY] = info

        root = special.get(_ROOT, b"")
        scope["root_path"] = unquote(root.decode("latin-1"))
        scope["path"] = scope["root_path"] + scope["path"]
        scope["raw_path"] = root + scope["raw_path"]
        host, _, port = special.get(_REMOTE, b"").decode("latin-1").rpartition(":")
        if host and port.isdecimal():
            scope["client"] = (host.strip("[]"), int(port))
        if special.get(b"x-forwarded-proto", b"").lower() == b"https":
            # As the server judges it: whoever could set the header for others has the connection anyway.
            scope["scheme"] = _SECURE.get(scope["scheme"], scope["scheme"])
