"""A unary call's frames as one piece: the octets are those of single frames, and nothing else is taken."""

from __future__ import annotations

import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mattermost_plugin._grpc import unary_frames
from mattermost_plugin._grpc.frames import FrameType
from mattermost_plugin._grpc.unary_frames import pack_request, pack_response, unpack_request, unpack_response
from tests.unit.grpc.wire import END_HEADERS, END_STREAM, PADDED, data, frame, message

LIMIT = 100
IDS = st.integers(0, 2**32 - 1)
PARTS = st.binary(max_size=LIMIT - 5)


def headers(stream_id: int, block: bytes, flags: int = END_HEADERS) -> bytes:
    return frame(FrameType.HEADERS, flags, stream_id, block)


def request(stream_id: int, block: bytes, text: bytes) -> bytes:
    return headers(stream_id, block) + data(stream_id, message(text))


def response(stream_id: int, block: bytes, text: bytes, trailers: bytes) -> bytes:
    last = headers(stream_id, trailers, END_HEADERS | END_STREAM)
    return headers(stream_id, block) + data(stream_id, message(text), flags=0) + last


@given(IDS, PARTS, PARTS, PARTS, st.binary(max_size=20), st.binary(max_size=20))
@example(1, b"", b"", b"", b"", b"")
@example(2**32 - 1, b"h" * LIMIT, b"m" * (LIMIT - 5), b"t" * LIMIT, b"", b"")
def test_what_is_packed_is_unpacked(
    stream_id: int, block: bytes, text: bytes, trailers: bytes, before: bytes, after: bytes
) -> None:
    packed = pack_request(stream_id, block, text)
    assert packed == request(stream_id, block, text)
    found = stream_id, block, text, len(before + packed)
    assert unpack_request(before + packed + after, len(before), LIMIT) == found

    packed = pack_response(stream_id, block, text, trailers)
    assert packed == response(stream_id, block, text, trailers)
    answer = stream_id, block, text, trailers, len(before + packed)
    assert unpack_response(before + packed + after, len(before), LIMIT) == answer


@given(IDS, PARTS, PARTS, PARTS, st.data())
def test_what_is_cut_short_is_not_taken(
    stream_id: int, block: bytes, text: bytes, trailers: bytes, cut: st.DataObject
) -> None:
    whole = request(stream_id, block, text)
    size = cut.draw(st.integers(0, len(whole) - 1))
    assert unpack_request(whole[:size], 0, LIMIT) is None
    whole = response(stream_id, block, text, trailers)
    size = cut.draw(st.integers(0, len(whole) - 1))
    assert unpack_response(whole[:size], 0, LIMIT) is None


OTHER_REQUESTS = {
    "DATA first": data(1, message(b"m")) + headers(1, b"h"),
    "DATA before": data(1, message(b"m")),
    "the end in HEADERS": headers(1, b"h", END_HEADERS | END_STREAM) + data(1, message(b"m")),
    "HEADERS that go on": headers(1, b"h", 0) + data(1, message(b"m")),
    "padded HEADERS": headers(1, b"\0h", END_HEADERS | PADDED) + data(1, message(b"m")),
    "padded DATA": headers(1, b"h") + data(1, b"\0" + message(b"m"), END_STREAM | PADDED),
    "more DATA to come": headers(1, b"h") + data(1, message(b"m"), flags=0),
    "another stream": headers(1, b"h") + data(3, message(b"m")),
    "compressed": headers(1, b"h") + data(1, message(b"m", flag=1)),
    "half a message": headers(1, b"h") + data(1, message(b"mm")[:-1]),
    "less than a prefix": headers(1, b"h") + data(1, message(b"")[:-1]),
    "two messages": headers(1, b"h") + data(1, message(b"") + message(b"")),
    "no message": headers(1, b"h") + data(1, b""),
    "too large a block": headers(1, b"h" * (LIMIT + 1)) + data(1, message(b"m")),
    "too large a message": headers(1, b"h") + data(1, message(b"m" * (LIMIT - 4))),
    "something between": headers(1, b"h") + frame(FrameType.PING, 0, 0, bytes(8)) + data(1, message(b"m")),
}
START = headers(1, b"h") + data(1, message(b"m"), flags=0)
OTHER_RESPONSES = {
    "a request": request(1, b"h", b"m"),
    "no end": START + headers(1, b"t"),
    "trailers of another stream": START + headers(3, b"t", END_HEADERS | END_STREAM),
    "trailers that go on": START + headers(1, b"t", END_STREAM),
    "too large trailers": START + headers(1, b"t" * (LIMIT + 1), END_HEADERS | END_STREAM),
    "DATA of another stream": headers(1, b"h")
    + data(3, message(b"m"), flags=0)
    + headers(1, b"t", END_HEADERS | END_STREAM),
    "two messages": START + data(1, message(b"m"), flags=0) + headers(1, b"t", END_HEADERS | END_STREAM),
    "no head": START[len(headers(1, b"h")) :] + headers(1, b"t", END_HEADERS | END_STREAM),
}


@pytest.mark.parametrize("other", OTHER_REQUESTS)
def test_what_is_no_small_request_is_not_taken(other: str) -> None:
    octets = OTHER_REQUESTS[other]
    assert unpack_request(octets, 0, LIMIT) is None
    # Nor is what came before it, where nothing is left to take.
    assert unpack_request(request(1, b"h", b"m"), len(request(1, b"h", b"m")), LIMIT) is None
    assert unpack_request(octets + request(1, b"h", b"m"), 0, LIMIT) is None


@pytest.mark.parametrize("other", OTHER_RESPONSES)
def test_what_is_no_small_response_is_not_taken(other: str) -> None:
    octets = OTHER_RESPONSES[other]
    assert unpack_response(octets, 0, LIMIT) is None
    assert unpack_response(octets + response(1, b"h", b"m", b"t"), 0, LIMIT) is None


@pytest.mark.parametrize("name", ["pack_request", "pack_response", "unpack_request", "unpack_response"])
def test_what_cannot_be_is_an_error_and_not_a_crash(name: str) -> None:
    function = getattr(unary_frames, name)
    for arguments in ((), (1,), ("a", "b", "c"), ("a", "b", "c", "d"), (1, 2, 3, 4), (b"", "a", 1)):
        with pytest.raises((TypeError, OverflowError, struct.error)):
            function(*arguments)
