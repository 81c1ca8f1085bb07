"""Whatever octets come, nothing but the protocol's own errors comes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mattermost_plugin._grpc import Options, StatusCode
from mattermost_plugin._grpc.client import ClientConnection, request_template
from mattermost_plugin._grpc.frames import PREFACE, FrameType
from mattermost_plugin._grpc.header_blocks import encode_block
from mattermost_plugin._grpc.server import ServerConnection
from mattermost_plugin._grpc.status import Status
from tests.unit.grpc.wire import (
    ACK,
    END_HEADERS,
    END_STREAM,
    OK,
    REQUEST,
    RESPONSE,
    Wire,
    data,
    frame,
    message,
    rst_stream,
    window_update,
)
from tests.unit.grpc.wire import settings as settings_frame

if TYPE_CHECKING:
    import random

TEMPLATE = request_template("/t.S/M", "localhost", Options(), tls=False)


BLOCK = encode_block([(name.encode(), value.encode()) for name, value in REQUEST])


def serve(core: ServerConnection, octets: bytes, cuts: random.Random) -> None:
    """Feed a server in pieces, answering what it accepts."""
    while octets:
        size = cuts.randint(1, 400)
        for stream in core.receive(octets[:size]):
            if stream.messages and not stream.local_closed:
                message = core.take(stream)
                if cuts.random() < 0.5:
                    core.reply(stream, message)
                else:
                    core.finish(stream, Status(StatusCode.ABORTED, "no"))
        core.data_to_send()
        octets = octets[size:]
    core.connection_lost()
    assert core.streams == {}


def ask(core: ClientConnection, octets: bytes, cuts: random.Random) -> None:
    """Feed a client that has some calls."""
    streams = [core.request(TEMPLATE, b"x" * 10) for _ in range(3)] + [core.open(TEMPLATE)]
    while octets:
        size = cuts.randint(1, 400)
        for stream in core.receive(octets[:size]):
            while stream.messages:
                core.take(stream)
        core.data_to_send()
        octets = octets[size:]
    core.connection_lost()
    assert all(stream.status is not None for stream in streams)
    assert core.streams == {}


frames = st.builds(
    frame,
    st.integers(0, 12),
    st.integers(0, 255),
    st.one_of(st.integers(0, 9), st.integers(0, (1 << 32) - 1)),
    st.one_of(st.binary(max_size=40), st.sampled_from([message(b"abc"), BLOCK, bytes(4), bytes(8)])),
)


@given(st.binary(max_size=600), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_random_octets(octets: bytes, cuts: random.Random) -> None:
    serve(ServerConnection(Options()), octets, cuts)
    serve(ServerConnection(Options()), PREFACE + settings_frame() + octets, cuts)
    ask(ClientConnection(Options()), settings_frame() + octets, cuts)


@given(st.lists(frames, max_size=15), st.randoms(use_true_random=False))
@settings(max_examples=400, deadline=None)
def test_random_frames(parts: list[bytes], cuts: random.Random) -> None:
    serve(ServerConnection(Options()), PREFACE + settings_frame() + b"".join(parts), cuts)
    ask(ClientConnection(Options()), settings_frame() + b"".join(parts), cuts)


def conversation(wire: Wire, head: Any, trailers: Any) -> bytes:
    """Return what a good peer might send."""
    parts = [
        settings_frame(s3=100, s4=70_000, s5=20_000),
        frame(FrameType.SETTINGS, ACK),
        window_update(0, 100_000),
    ]
    for stream_id in (1, 3, 5, 7):
        parts += [
            wire.headers(stream_id, [*head, ("grpc-timeout", "5S"), ("x-bin", "AAEC")]),
            window_update(stream_id, 1000),
            data(stream_id, message(b"m" * 50)[:20], 0),
            frame(FrameType.PING, 0, 0, bytes(8)),
            data(stream_id, message(b"m" * 50)[20:], 0),
            wire.headers(stream_id, trailers, END_HEADERS | END_STREAM),
        ]
    return b"".join([*parts, rst_stream(7), frame(FrameType.GOAWAY, 0, 0, bytes(8))])


@pytest.mark.parametrize("side", ["server", "client"])
@given(st.randoms(use_true_random=False), st.integers(1, 12))
@settings(max_examples=400, deadline=None)
def test_mutated_conversations(side: str, cuts: random.Random, changes: int) -> None:
    wire = Wire(ServerConnection(Options()))
    is_server = side == "server"
    octets = bytearray(
        conversation(wire, REQUEST, [("x", "y")]) if is_server else conversation(wire, RESPONSE, OK)
    )
    for _ in range(changes):
        at = cuts.randrange(len(octets))
        match cuts.randrange(4):
            case 0:
                octets[at] ^= 1 << cuts.randrange(8)
            case 1:
                octets[at] = cuts.randrange(256)
            case 2:
                del octets[at : at + cuts.randrange(1, 20)]
            case _:
                octets[at:at] = octets[max(0, at - cuts.randrange(40)) : at]
    if is_server:
        serve(ServerConnection(Options()), PREFACE + bytes(octets), cuts)
    else:
        ask(ClientConnection(Options()), bytes(octets), cuts)
