"""The body of a request, received before anybody works on the request."""

from __future__ import annotations

import asyncio
import tempfile
from typing import TYPE_CHECKING, Any

from mattermost_plugin.http._errors import ClientDisconnected

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from mattermost_plugin.http._asgi import Receive, Scope
    from mattermost_plugin.http._limits import HTTPLimits

__all__ = ["BodyRefused", "spooled"]


class BodyRefused(Exception):
    """The body is not received to its end.

    Attributes:
        status: What the client is told.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


async def spooled(scope: Scope, receive: Receive, limits: HTTPLimits, files: Executor) -> tuple[Any, int]:
    """Return a file with the body of a request, at its beginning, and how many bytes it has.

    Args:
        scope: Of the request.
        receive: Returns the parts of the body.
        limits: How large the body may be, and how slow.
        files: Where what is written to a disk is written, so that the event loop does not wait for it.

    Raises:
        BodyRefused: The body is too large or too slow.
        ClientDisconnected: The client left before it had sent the whole body.
        OSError: There is no room for the body.
    """
    announced = _announced(scope)
    if announced is not None and announced > limits.max_body:
        raise BodyRefused(413, f"the body has {announced} bytes")
    loop = asyncio.get_running_loop()
    begun, size = loop.time(), 0
    body = tempfile.SpooledTemporaryFile(limits.body_memory)  # noqa: SIM115 - the request closes it
    try:
        while announced != 0:
            message = await _within(receive, _patience(limits, loop.time() - begun, size))
            if message["type"] == "http.disconnect":
                raise ClientDisconnected("the client left before it had sent the whole body")
            data = message.get("body", b"")
            size += len(data)
            if size > limits.max_body:
                raise BodyRefused(413, f"the body has more than {limits.max_body} bytes")
            if size > limits.body_memory:
                await loop.run_in_executor(files, body.write, data)
            else:
                body.write(data)
            if not message.get("more_body", False):
                break
        body.seek(0)
    except BaseException:
        body.close()
        raise
    return body, size


def _announced(scope: Scope) -> int | None:
    """Return how many bytes the body has; None: the client did not say."""
    names = dict(scope["headers"])
    if b"transfer-encoding" in names:
        return None
    length = names.get(b"content-length", b"0").strip()
    return int(length) if length.isdigit() else None


def _patience(limits: HTTPLimits, elapsed: float, size: int) -> float:
    """Return the seconds in which more of a body must come."""
    allowed = limits.body_grace + size / limits.body_rate
    return min(allowed, limits.body_timeout) - elapsed


async def _within(receive: Receive, seconds: float) -> Any:
    try:
        return await asyncio.wait_for(receive(), max(seconds, 0))
    except asyncio.TimeoutError:
        raise BodyRefused(408, "the body comes too slowly") from None
