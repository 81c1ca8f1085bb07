"""What a server serves: one handler per method."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Handler", "Kind"]


class Kind(enum.Enum):
    """Whether request and response are single messages or streams of them.

    Attributes:
        request_streams: whether the client sends any number of messages.
        response_streams: whether the server does.
    """

    UNARY_UNARY = "unary-unary"
    UNARY_STREAM = "unary-stream"
    STREAM_UNARY = "stream-unary"
    STREAM_STREAM = "stream-stream"

    def __init__(self, value: str) -> None:
        # Attributes, not properties: they are looked at for every call.
        self.request_streams = value.startswith("stream")
        self.response_streams = value.endswith("stream")


class Handler(NamedTuple):
    """One method of a server.

    Attributes:
        kind: which sides stream.
        function: called with the request (an iterator of them where the client streams) and the call; returns
            the response (an iterator where the server streams). With the asyncio driver it may be a coroutine
            function or an asynchronous generator function, and request iterators are asynchronous.
        deserialize: makes a request of a message's octets.
        serialize: makes a message's octets of a response.
    """

    kind: Kind
    function: Callable[..., Any]
    deserialize: Callable[[bytes], Any]
    serialize: Callable[[Any], bytes]
