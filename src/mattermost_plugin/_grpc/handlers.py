"""What a server serves: one handler per method."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Handler", "Kind"]


class Kind(enum.Enum):
    """Whether request and response are single messages or streams of them."""

    UNARY_UNARY = "unary-unary"
    UNARY_STREAM = "unary-stream"
    STREAM_UNARY = "stream-unary"
    STREAM_STREAM = "stream-stream"

    @property
    def request_streams(self) -> bool:
        """Whether the client sends any number of messages."""
        return self in (Kind.STREAM_UNARY, Kind.STREAM_STREAM)

    @property
    def response_streams(self) -> bool:
        """Whether the server sends any number of messages."""
        return self in (Kind.UNARY_STREAM, Kind.STREAM_STREAM)


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
