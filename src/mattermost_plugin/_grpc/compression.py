"""Message compression: identity and gzip."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING

from mattermost_plugin._grpc.status import RpcError, StatusCode

if TYPE_CHECKING:
    from typing import Final

__all__ = ["ACCEPTED", "compress", "decompress"]

#: The value of `grpc-accept-encoding`.
ACCEPTED: Final = b"identity,gzip"

_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS
# Plugins talk to a process on the same machine, where time is dearer than octets.
_LEVEL: Final = 1


def compress(message: bytes) -> bytes:
    """Return a message gzip-compressed."""
    return gzip.compress(message, _LEVEL)


def decompress(message: bytes, limit: int) -> bytes:
    """Return a gzip-compressed message decompressed.

    Raises:
        RpcError: RESOURCE_EXHAUSTED if it is larger than `limit`, INTERNAL if it is not gzip.
    """
    try:
        parts: list[bytes] = []
        while message:
            inflater = zlib.decompressobj(_GZIP_WINDOW)
            part = inflater.decompress(message, limit + 1)
            limit -= len(part)
            if limit < 0:
                raise RpcError(
                    StatusCode.RESOURCE_EXHAUSTED, "a message is larger than allowed after decompression"
                )
            if not inflater.eof:
                raise RpcError(StatusCode.INTERNAL, "a compressed message ends too early")
            parts.append(part)
            message = inflater.unused_data
        return b"".join(parts)
    except zlib.error as error:
        raise RpcError(StatusCode.INTERNAL, f"a message cannot be decompressed: {error}") from error
