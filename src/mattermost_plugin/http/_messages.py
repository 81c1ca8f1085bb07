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

import re
from typing import TYPE_CHECKING

from mattermost_plugin._runtime.wire import fields, put_varint

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["chunk_of", "decode_head", "encode_chunk", "encode_head"]

_HEAD, _CHUNK = 1, 2

# What a method and the name of a header are (RFC 9110, 5.6.2), and what no value may contain.
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_CONTROL_OR_SPACE = re.compile(r"[\x00-\x20\x7f]")


def encode_head(method: str, url: str, host: str, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return the first message of a request.

    Raises:
        ValueError: Method, URL, host or a header is nothing that HTTP has.
    """
    if not _TOKEN.fullmatch(method.encode("utf-8", "replace")):
        raise ValueError(f"{method[:40]!r} is no method of HTTP")
    if _CONTROL_OR_SPACE.search(url) or _CONTROL_OR_SPACE.search(host):
        raise ValueError(f"the URL of {host[:40]!r} contains a control character or a space")
    headers = list(headers)
    _check_headers(headers)
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
        ValueError: The message is no head, or one that HTTP does not have.
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
    if not 200 <= status <= 999:
        raise ValueError(f"the response has the status {status}")
    _check_headers(headers)
    return status, headers


def _check_headers(headers: Iterable[tuple[bytes, bytes]]) -> None:
    for name, value in headers:
        if not _TOKEN.fullmatch(name):
            raise ValueError(f"{name[:40]!r} is no name of a header")
        if _CONTROL.search(value):
            raise ValueError(f"the header {name[:40].decode('ascii')} contains a control character")


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
