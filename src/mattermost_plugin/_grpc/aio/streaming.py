"""What a handler on an event loop is given and returns where either is a stream.

It is never compiled: in coroutines that mypyc makes, an `await` in a `finally` may have the exception of an
earlier call raised once more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from mattermost_plugin._grpc.aio.server_calls import ServerCall

__all__ = ["Requests", "send_all"]


class Requests:
    """The messages of a request as its handler iterates over them.

    Args:
        call: the call.
        deserialize: makes of a message what the handler takes.
    """

    def __init__(self, call: ServerCall, deserialize: Callable[[bytes], Any]) -> None:
        self._call = call
        self._deserialize = deserialize

    def __aiter__(self) -> Requests:
        return self

    async def __anext__(self) -> Any:
        message = await self._call.next_message()
        if message is None:
            raise StopAsyncIteration
        return self._deserialize(message)


async def send_all(call: ServerCall, responses: Any) -> None:
    """Send what a handler returned, an iterable or an asynchronous one, which is closed in the end."""
    if hasattr(responses, "__aiter__"):
        try:
            async for response in responses:
                await call.send(response)
        finally:
            if hasattr(responses, "aclose"):
                await responses.aclose()
    else:
        for response in responses:
            await call.send(response)
