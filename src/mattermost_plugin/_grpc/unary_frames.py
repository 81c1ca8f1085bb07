"""The frames of a small unary call as one piece: those of its request, and those of its response.

Nearly every call is one of these: HEADERS, a DATA frame with one message that is not compressed, and for a
response HEADERS once more, the trailers. What is not takes the way of its single frames.

This is the reference. The compiled core (`speed/mattermost_plugin_speed/unary_frames.c`) has the same
functions.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from mattermost_plugin._grpc.frames import END_HEADERS, END_STREAM, FRAME_HEADER, FRAME_HEADER_SIZE, FrameType
from mattermost_plugin._grpc.messages import PREFIX_SIZE

if TYPE_CHECKING:
    from typing import Final

__all__ = ["pack_request", "pack_response", "unpack_request", "unpack_response"]

#: The head of a DATA frame, and that of the message in it.
_DATA_AND_MESSAGE: Final = struct.Struct(">HBBBLBL")
_HEAD: Final = FRAME_HEADER_SIZE + PREFIX_SIZE
_LAST: Final = END_HEADERS | END_STREAM
_DATA: Final = int(FrameType.DATA)
_HEADERS: Final = int(FrameType.HEADERS)


def pack_request(stream_id: int, block: bytes, message: bytes) -> bytes:
    """Return a request.

    Args:
        stream_id: the stream identifier.
        block: the header block; it must fit into one frame, and so must the message.
        message: the message.
    """
    return _pack(stream_id, block, message, END_STREAM)


def pack_response(stream_id: int, block: bytes, message: bytes, trailers: bytes) -> bytes:
    """Return a response.

    Args:
        stream_id: the stream identifier.
        block: the header block; it must fit into one frame, and so must the message and the trailers.
        message: the message.
        trailers: the header block of the trailers.
    """
    size = len(trailers)
    last = FRAME_HEADER.pack(size >> 8, size & 0xFF, _HEADERS, _LAST, stream_id)
    return _pack(stream_id, block, message, 0) + last + trailers


def unpack_request(data: bytes, position: int, limit: int) -> tuple[int, bytes, bytes, int] | None:
    """Return a request whose frames begin at `position`; None: there is not all of one, or something else.

    Args:
        data: octets from the peer.
        position: where its HEADERS frame would begin.
        limit: octets of payload of the largest frame that is taken.

    Returns:
        The stream identifier with its reserved bit, the header block, the message, and where it ends.
    """
    found = _message(data, position, END_STREAM, limit)
    if found is None:
        return None
    stream_id, stop, end = found
    return stream_id, data[position + FRAME_HEADER_SIZE : stop], data[stop + _HEAD : end], end


def unpack_response(data: bytes, position: int, limit: int) -> tuple[int, bytes, bytes, bytes, int] | None:
    """Return a response whose frames begin at `position`; None: there is not all of one, or something else.

    Args:
        data: octets from the peer.
        position: where its HEADERS frame would begin.
        limit: octets of payload of the largest frame that is taken.

    Returns:
        The stream identifier with its reserved bit, the header block, the message, the header block of the
        trailers, and where it ends.
    """
    found = _message(data, position, 0, limit)
    if found is None:
        return None
    stream_id, stop, last = found
    if last + FRAME_HEADER_SIZE > len(data):
        return None
    high, low, kind, flags, stream = FRAME_HEADER.unpack_from(data, last)
    size = high << 8 | low
    end = last + FRAME_HEADER_SIZE + size
    if kind != _HEADERS or flags != _LAST or stream != stream_id or size > limit or end > len(data):
        return None
    block, trailers = data[position + FRAME_HEADER_SIZE : stop], data[last + FRAME_HEADER_SIZE : end]
    return stream_id, block, data[stop + _HEAD : last], trailers, end


def _pack(stream_id: int, block: bytes, message: bytes, flags: int) -> bytes:
    length = len(block)
    size = len(message) + PREFIX_SIZE
    return (
        FRAME_HEADER.pack(length >> 8, length & 0xFF, _HEADERS, END_HEADERS, stream_id)
        + block
        + _DATA_AND_MESSAGE.pack(size >> 8, size & 0xFF, _DATA, flags, stream_id, 0, size - PREFIX_SIZE)
        + message
    )


def _message(data: bytes, position: int, flags: int, limit: int) -> tuple[int, int, int] | None:
    """Return the stream, and the ends of HEADERS and of DATA with these flags, with one message in it."""
    start = position + FRAME_HEADER_SIZE
    if start > len(data):
        return None
    high, low, kind, found_flags, stream_id = FRAME_HEADER.unpack_from(data, position)
    size = high << 8 | low
    stop = start + size
    if kind != _HEADERS or found_flags != END_HEADERS or size > limit or stop + _HEAD > len(data):
        return None
    high, low, kind, found_flags, stream, compressed, length = _DATA_AND_MESSAGE.unpack_from(data, stop)
    size = high << 8 | low
    end = stop + FRAME_HEADER_SIZE + size
    if kind != _DATA or found_flags != flags or stream != stream_id or size > limit or end > len(data):
        return None
    return None if compressed or length != size - PREFIX_SIZE else (stream_id, stop, end)


if not TYPE_CHECKING:
    from mattermost_plugin._compiled import compiled_unary_frames

    _compiled = compiled_unary_frames()
    if _compiled is not None:
        pack_request, pack_response = _compiled.pack_request, _compiled.pack_response
        unpack_request, unpack_response = _compiled.unpack_request, _compiled.unpack_response
