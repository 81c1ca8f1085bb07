"""Flow control (RFC 9113, section 5.2), for any windows, sizes and orders."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from mattermost_plugin._grpc import Options
from mattermost_plugin._grpc.client import ClientConnection, request_template
from mattermost_plugin._grpc.errors import ErrorCode
from mattermost_plugin._grpc.frames import FrameType
from mattermost_plugin._grpc.server import ServerConnection
from tests.unit.grpc.wire import END_STREAM, Wire, data, frame, message, window_update
from tests.unit.grpc.wire import settings as settings_frame

TEMPLATE = request_template("/t.S/M", "localhost", Options(), tls=False)


@given(
    sizes=st.lists(st.integers(0, 60_000), min_size=1, max_size=4),
    initial=st.integers(0, 70_000),
    frame_size=st.integers(16_384, 40_000),
    grants=st.lists(st.integers(1, 50_000), max_size=30),
)
@settings(max_examples=150, deadline=None)
def test_a_sender_keeps_to_all_windows_and_sends_everything_in_the_end(
    sizes: list[int], initial: int, frame_size: int, grants: list[int]
) -> None:
    wire = Wire(ServerConnection(Options()))
    wire.send(settings_frame(s4=initial, s5=frame_size))
    for number, size in enumerate(sizes):
        (stream,) = wire.send(wire.headers(2 * number + 1), data(2 * number + 1, message(b"")))
        wire.core.reply(stream, bytes([number]) * size)
    windows = {2 * number + 1: initial for number in range(len(sizes))}
    connection = 65_535
    bodies = dict.fromkeys(windows, b"")
    ended: set[int] = set()

    def collect() -> None:
        nonlocal connection
        for sent in wire.frames():
            if sent.kind is FrameType.DATA:
                assert len(sent.payload) <= frame_size
                windows[sent.stream_id] -= len(sent.payload)
                connection -= len(sent.payload)
                assert windows[sent.stream_id] >= 0
                assert connection >= 0
                assert sent.stream_id not in ended
                bodies[sent.stream_id] += sent.payload
            elif sent.kind is FrameType.HEADERS and sent.flags & END_STREAM:
                ended.add(sent.stream_id)

    collect()
    for target, grant in zip(itertools.cycle([0, *windows]), grants, strict=False):
        wire.send(window_update(target, grant))
        if target:
            windows[target] += grant
        else:
            connection += grant
        collect()
    for target in [0, *windows]:  # whatever is left
        wire.send(window_update(target, 10_000_000))
        if target:
            windows[target] += 10_000_000
        else:
            connection += 10_000_000
        collect()
    assert list(bodies.values()) == [message(bytes([number]) * size) for number, size in enumerate(sizes)]
    assert ended == set(windows)
    assert wire.core.streams == {}


@given(initial=st.lists(st.integers(0, 100_000), min_size=1, max_size=8))
@settings(max_examples=50, deadline=None)
def test_changes_of_the_initial_window_apply_to_open_streams(initial: list[int]) -> None:
    wire = Wire(ServerConnection(Options()))
    wire.send(window_update(0, 1 << 24), settings_frame(s4=0))
    (stream,) = wire.send(wire.headers(1), data(1, message(b"")))
    wire.core.reply(stream, bytes(150_000))
    sent = 0
    for size in initial:
        wire.send(settings_frame(s4=size))
        sent += sum(len(f.payload) for f in wire.frames() if f.kind is FrameType.DATA)
        assert sent == min(max(sent, size), 150_005)
        # The window may be negative now; the stream waits until it is not (RFC 9113, section 6.9.2).
        assert stream.send_window == size - sent


@given(
    chunks=st.lists(st.integers(0, 9_000), min_size=1, max_size=60),
    takes=st.lists(st.booleans(), min_size=60, max_size=60),
)
@settings(max_examples=100, deadline=None)
def test_a_receiver_grants_what_was_taken_and_no_more(chunks: list[int], takes: list[bool]) -> None:
    window = 65_535
    wire = Wire(ClientConnection(Options(stream_window=window)), client=False)
    stream = wire.core.open(TEMPLATE)
    wire.frames()
    wire.send(wire.headers(1, [(":status", "200"), ("content-type", "application/grpc")]))
    allowed, taken, sent = window, 0, 0
    for size, take in zip(chunks, takes, strict=False):
        octets = message(bytes(size))
        if len(octets) > allowed:
            # Only what the application holds back may keep the window shut, but for the half not granted yet.
            assert stream.messages
            break
        allowed -= len(octets)
        sent += len(octets)
        wire.send(data(1, octets, 0))
        while take and stream.messages:
            taken += len(wire.core.take(stream)) + 5
        for update in wire.frames():
            if update.kind is FrameType.WINDOW_UPDATE and update.stream_id == 1:
                allowed += int.from_bytes(update.payload, "big")
        assert allowed <= window
        assert window - allowed >= sum(len(waiting) + 5 for waiting in stream.messages) - len(octets)


def test_a_message_larger_than_the_window_passes() -> None:
    wire = Wire(ServerConnection(Options(stream_window=65_535)))
    (stream,) = wire.send(wire.headers(1))
    octets = message(bytes(1_000_000))
    allowed = 65_535
    while octets:
        part, octets = octets[: min(allowed, 16_384)], octets[min(allowed, 16_384) :]
        assert part, "the receiver granted nothing"
        allowed -= len(part)
        wire.send(data(1, part, 0 if octets else END_STREAM))
        for update in wire.frames():
            if update.kind is FrameType.WINDOW_UPDATE and update.stream_id == 1:
                allowed += int.from_bytes(update.payload, "big")
    assert len(wire.core.take(stream)) == 1_000_000


def test_exceeding_a_streams_window_is_a_stream_error() -> None:
    wire = Wire(ServerConnection(Options(stream_window=65_535)))
    wire.send(wire.headers(1))
    full = message(bytes(16_379))
    for _ in range(4):
        wire.send(data(1, full[:16_384], 0))
    (reset,) = wire.frames()
    assert (reset.kind, reset.code) == (FrameType.RST_STREAM, ErrorCode.FLOW_CONTROL_ERROR)


def test_the_connections_window_is_granted_for_reset_streams_and_padding_as_well() -> None:
    wire = Wire(ServerConnection(Options(stream_window=(1 << 31) - 1, max_frame_size=(1 << 24) - 1)))
    (stream,) = wire.send(wire.headers(1))
    wire.core.reset(stream, ErrorCode.CANCEL)
    wire.frames()
    padded = frame(FrameType.DATA, 0x8, 1, b"\xff" + bytes((1 << 24) - 2))
    sent = 0
    while sent < 1 << 30:
        wire.send(padded)
        sent += (1 << 24) - 1
    (update,) = wire.frames()
    assert (update.kind, update.stream_id) == (FrameType.WINDOW_UPDATE, 0)
    assert 0 < int.from_bytes(update.payload, "big") <= sent
