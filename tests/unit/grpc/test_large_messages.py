"""Messages of many frames, which are taken in several at once."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mattermost_plugin._grpc import Options
from mattermost_plugin._grpc.errors import ErrorCode
from mattermost_plugin._grpc.frames import FrameType
from mattermost_plugin._grpc.server import ServerConnection
from tests.unit.grpc.wire import END_HEADERS, END_STREAM, PADDED, Wire, data, frame, message, rst_stream

KIB = 1 << 10
WINDOW = 4 << 20


def connection(window: int = WINDOW) -> Wire:
    wire = Wire(ServerConnection(Options(stream_window=window)))
    wire.send(wire.headers(1), wire.headers(3))
    wire.frames()
    return wire


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 300 * KIB), min_size=1, max_size=5),
    piece=st.sampled_from([1 * KIB, 4 * KIB + 1, 16 * KIB]),
    read=st.sampled_from([9, 8 * KIB, 64 * KIB, 64 * KIB + 1, 200 * KIB, 10 << 20]),
    seed=st.integers(),
)
def test_they_arrive_whole_however_they_are_framed_and_read(
    sizes: list[int], piece: int, read: int, seed: int
) -> None:
    chance = random.Random(seed)
    wire = connection()
    sent = {
        1: [chance.randbytes(size) for size in sizes],
        3: [chance.randbytes(size) for size in sizes[::-1]],
    }
    waiting = {
        stream_id: [
            octets[at : at + piece]
            for octets in [b"".join(map(message, messages))]
            for at in range(0, len(octets), piece)
        ]
        for stream_id, messages in sent.items()
    }
    octets = b""
    while waiting:
        stream_id = chance.choice(list(waiting))
        for _ in range(min(chance.randint(1, 30), len(waiting[stream_id]))):
            part = waiting[stream_id].pop(0)
            padded = frame(FrameType.DATA, PADDED, stream_id, b"\x03" + part + bytes(3))
            octets += padded if len(padded) < 16 * KIB and chance.random() < 0.1 else data(stream_id, part, 0)
        if not waiting[stream_id]:
            octets += data(stream_id, b"")
            del waiting[stream_id]
    streams = dict(wire.core.streams)
    came: dict[int, list[bytes]] = {1: [], 3: []}
    for at in range(0, len(octets), read):
        news = {stream.id for stream in wire.send(octets[at : at + read])}
        for stream_id, stream in streams.items():
            assert not stream.messages or stream_id in news
            while stream.messages:
                came[stream_id].append(wire.core.take(stream))
    assert came == sent
    assert all(stream.remote_closed for stream in streams.values())
    assert not [found for found in wire.frames() if found.kind is not FrameType.WINDOW_UPDATE]


def test_the_window_holds_within_a_run_of_frames() -> None:
    wire = connection(window=256 * KIB)
    octets = message(bytes(400 * KIB)) * 2  # nobody takes the first one
    frames = [data(1, octets[at : at + 16 * KIB], 0) for at in range(0, 720 * KIB, 16 * KIB)]
    wire.send(*frames)
    resets = [found for found in wire.frames() if found.kind is FrameType.RST_STREAM]
    assert [(reset.stream_id, reset.code) for reset in resets] == [(1, ErrorCode.FLOW_CONTROL_ERROR)]
    (ok,) = {*wire.send(data(3, message(b"still there")))}
    assert wire.core.take(ok) == b"still there"


def test_the_sender_is_granted_what_was_taken_in_at_once() -> None:
    wire = connection(window=256 * KIB)
    stream = wire.core.streams[1]
    octets = message(bytes(1 << 20))
    allowed, granted = 256 * KIB, 0
    while octets:
        part, octets = octets[:allowed], octets[allowed:]
        assert part, "the receiver granted nothing"
        frames = [data(1, part[at : at + 16 * KIB], 0) for at in range(0, len(part), 16 * KIB)]
        wire.send(*frames)
        allowed -= len(part)
        for found in wire.frames():
            if found.kind is FrameType.WINDOW_UPDATE and found.stream_id == 1:
                allowed += int.from_bytes(found.payload, "big")
                granted += int.from_bytes(found.payload, "big")
    assert wire.core.take(stream) == bytes(1 << 20)
    assert granted >= 768 * KIB


@pytest.mark.parametrize("kind", [FrameType.HEADERS, FrameType.DATA, FrameType.RST_STREAM])
def test_what_follows_a_run_in_the_same_read_is_taken_in(kind: FrameType) -> None:
    wire = connection()
    stream = wire.core.streams[1]
    octets = message(bytes(100 * KIB))
    frames = [data(1, octets[at : at + 16 * KIB], 0) for at in range(0, len(octets), 16 * KIB)]
    last = {
        FrameType.HEADERS: frames[-1] + wire.headers(1, [("x-trailer", "1")], END_HEADERS | END_STREAM),
        FrameType.DATA: frames[-1] + data(1, b""),
        FrameType.RST_STREAM: rst_stream(1),
    }[kind]
    assert stream in wire.send(*frames[:-1], last)
    assert stream.remote_closed
    assert len(stream.messages) == (kind is not FrameType.RST_STREAM)
