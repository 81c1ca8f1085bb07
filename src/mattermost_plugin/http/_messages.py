"""The messages of `PluginHTTP`, read and written by hand.

======================  ==========================================================================
message                 fields
======================  ==========================================================================
`PluginHTTPRequest`     1 head: message, 2 chunk: bytes (one of them)
its head                1 method, 2 url, 3 header: map of string to `StringList`, 4 host: strings
`PluginHTTPResponse`    1 head: message, 2 chunk: bytes (one of them)
its head                1 status_code: int64, 2 header: map of string to `StringList`
`StringList`            1 items: repeated string
======================  ==========================================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mattermost_plugin._runtime.wire import fields, put_varint

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["chunk_of", "decode_head", "encode_chunk", "encode_head"]

_HEAD, _CHUNK = 1, 2


def encode_head(method: str, url: str, host: str, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return the first message of a request."""
    lists: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        # Strings are UTF-8 on the wire; header values may be any bytes.
        lists.setdefault(name, []).append(value.decode("latin-1").encode())
    head = bytearray()
    _put(head, 1, method.encode())
    _put(head, 2, url.encode())
    for name, values in lists.items():
        entry, items = bytearray(), bytearray()
        for value in values:
            _put(items, 1, value)
        _put(entry, 1, name)
        _put(entry, 2, bytes(items))
        _put(head, 3, bytes(entry))
    _put(head, 4, host.encode())
    message = bytearray()
    _put(message, _HEAD, bytes(head))
    return bytes(message)


def encode_chunk(data: bytes) -> bytes:
    """Return a message with a piece of the body."""
    prefix = bytearray()
    prefix.append(_CHUNK << 3 | 2)
    put_varint(prefix, len(data))
    return bytes(prefix) + data


def decode_head(message: bytes) -> tuple[int, list[tuple[bytes, bytes]]]:
    """Return the status and the headers of a response.

    Raises:
        ValueError: The message is no head.
    """
    for number, head in fields(message):
        if number == _HEAD and isinstance(head, bytes):
            break
    else:
        raise ValueError("the response does not begin with its head")
    status = 0
    headers: list[tuple[bytes, bytes]] = []
    for number, value in fields(head):
        if number == 1 and isinstance(value, int):
            status = value
        elif number == 2 and isinstance(value, bytes):
            entry = {key: item for key, item in fields(value) if isinstance(item, bytes)}
            for _, item in fields(entry.get(2, b"")):
                if isinstance(item, bytes):
                    headers.append((entry.get(1, b""), item.decode().encode("latin-1", "replace")))
    return status, headers


def chunk_of(message: bytes) -> bytes:
    """Return the piece of the body in a message; empty if it has none."""
    for number, value in fields(message):
        if number == _CHUNK and isinstance(value, bytes):
            return value
    return b""


def _put(out: bytearray, number: int, data: bytes) -> None:
    out.append(number << 3 | 2)
    put_varint(out, len(data))
    out += data
