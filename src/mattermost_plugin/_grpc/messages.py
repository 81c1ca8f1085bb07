"""Length-prefixed messages inside the DATA frames of one stream."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from mattermost_plugin._grpc import compression
from mattermost_plugin._grpc.status import RpcError, StatusCode

if TYPE_CHECKING:
    from typing import Final

__all__ = ["PREFIX", "PREFIX_SIZE", "MessageReader", "as_is", "prefix"]

#: The compressed flag and the length of the message.
PREFIX: Final = struct.Struct(">BL")
PREFIX_SIZE: Final = 5


def prefix(message: bytes, *, compressed: bool = False) -> bytes:
    """Return the five octets before a message."""
    if len(message) > 0xFFFFFFFF:
        raise RpcError(StatusCode.RESOURCE_EXHAUSTED, "a message cannot be larger than 4 GiB")
    return PREFIX.pack(compressed, len(message))


def as_is(message: Any) -> Any:
    """Serialize or deserialize nothing: the caller, or the handler, reads and writes messages itself."""
    return message


class MessageReader:
    """Puts messages together from the payloads of DATA frames, however they are cut.

    Args:
        limit: octets of one message, compressed and not.
        encoding: the peer's `grpc-encoding`.
    """

    __slots__ = ("_encoding", "_head", "_limit", "_missing", "_parts")

    def __init__(self, limit: int, encoding: bytes) -> None:
        self._limit = limit
        self._encoding = encoding
        self._head = b""  # a prefix, whole once a message has begun
        self._parts: list[bytes | memoryview] = []
        self._missing = 0

    @property
    def incomplete(self) -> bool:
        """Whether a message has begun that has not ended."""
        return bool(self._head)

    @property
    def missing(self) -> int:
        """Octets that the message which has begun still needs; 0 if none has."""
        return self._missing

    def feed_middle(self, parts: list[memoryview], size: int) -> None:
        """Take in payloads, of `size` octets together, which do not complete the message that has begun."""
        self._parts += parts
        self._missing -= size

    def feed(self, data: bytes) -> list[bytes]:
        """Take in the payload of a DATA frame and return the messages that it completes.

        Raises:
            RpcError: RESOURCE_EXHAUSTED for a message over the limit, INTERNAL or UNIMPLEMENTED for one that
                cannot be decompressed.
        """
        messages: list[bytes] = []
        position = 0
        while True:
            if self._missing:
                part = data[position : position + self._missing] if position else data[: self._missing]
                position += len(part)
                self._missing -= len(part)
                self._parts.append(part)
                if self._missing:
                    return messages
            elif len(self._head) < PREFIX_SIZE:
                if position == len(data):
                    return messages
                wanted = PREFIX_SIZE - len(self._head)
                self._head += data[position : position + wanted]
                position += wanted
                if len(self._head) < PREFIX_SIZE:
                    return messages
                self._missing = self._begin()
                if self._missing:
                    continue
            messages.append(self._finish())

    def _begin(self) -> int:
        flag, length = PREFIX.unpack(self._head)
        if flag > 1:
            raise RpcError(StatusCode.INTERNAL, f"a message has the unknown flags {flag:#x}")
        if flag and self._encoding == b"identity":
            raise RpcError(StatusCode.INTERNAL, "a message is compressed, but grpc-encoding does not say how")
        if length > self._limit:
            raise RpcError(
                StatusCode.RESOURCE_EXHAUSTED,
                f"a message of {length} octets is larger than the limit of {self._limit}",
            )
        return int(length)

    def _finish(self) -> bytes:
        first = self._parts[0] if self._parts else b""
        message = first if len(self._parts) == 1 and isinstance(first, bytes) else b"".join(self._parts)
        if self._head[0]:
            message = compression.decompress(message, self._limit)
        self._head = b""
        self._parts = []
        return message
