"""The rules of RFC 9113 and of gRPC over HTTP/2, as a server keeps them."""

from __future__ import annotations

import gzip
import struct

import pytest

from mattermost_plugin._grpc import Options, StatusCode
from mattermost_plugin._grpc.control import ConnectionState
from mattermost_plugin._grpc.errors import ErrorCode
from mattermost_plugin._grpc.frames import PREFACE, FrameType
from mattermost_plugin._grpc.server import ServerConnection
from mattermost_plugin._grpc.status import Status
from mattermost_plugin._grpc.streams import StreamState
from tests.unit.grpc.wire import (
    ACK,
    END_HEADERS,
    END_STREAM,
    PADDED,
    PRIORITY,
    REQUEST,
    Wire,
    data,
    frame,
    message,
    rst_stream,
    settings,
    window_update,
)

E = ErrorCode
F = FrameType


def server(**options: object) -> Wire:
    return Wire(ServerConnection(Options(**options)))  # type: ignore[arg-type]


@pytest.fixture
def wire() -> Wire:
    return server()


def without(*names: str) -> list[tuple[str, str]]:
    return [field for field in REQUEST if field[0] not in names]


# ---- connection errors: GOAWAY, and the connection is over


@pytest.mark.parametrize(
    ("octets", "code"),
    [
        pytest.param(data(0, b"x"), E.PROTOCOL_ERROR, id="6.1 DATA on stream 0"),
        pytest.param(data(1, b"x"), E.PROTOCOL_ERROR, id="5.1 DATA on an idle stream"),
        pytest.param(frame(F.HEADERS, END_HEADERS, 0), E.PROTOCOL_ERROR, id="6.2 HEADERS on stream 0"),
        pytest.param(frame(F.HEADERS, END_HEADERS, 2, b"\x82"), E.PROTOCOL_ERROR, id="5.1.1 even stream"),
        pytest.param(
            frame(F.HEADERS, END_HEADERS | PADDED, 1, b"\x05abc"), E.PROTOCOL_ERROR, id="6.2 padding"
        ),
        pytest.param(frame(F.HEADERS, END_HEADERS | PADDED, 1), E.PROTOCOL_ERROR, id="6.2 no padding length"),
        pytest.param(
            frame(F.HEADERS, END_HEADERS | PRIORITY, 1, b"abc"), E.FRAME_SIZE_ERROR, id="6.2 priority"
        ),
        pytest.param(
            frame(F.HEADERS, END_HEADERS | PRIORITY, 1, b"\0\0\0\x01\x10\x82"),
            E.PROTOCOL_ERROR,
            id="5.3.1 itself",
        ),
        pytest.param(
            frame(F.HEADERS, END_HEADERS, 1, b"\x80"), E.COMPRESSION_ERROR, id="RFC 7541 6.1 index 0"
        ),
        pytest.param(
            frame(F.HEADERS, END_HEADERS, 1, b"\xff\xff\xff\xff\xff\xff\xff"),
            E.COMPRESSION_ERROR,
            id="integer",
        ),
        pytest.param(
            frame(F.HEADERS, END_HEADERS, 1, b"\x00\x85abc"), E.COMPRESSION_ERROR, id="truncated literal"
        ),
        pytest.param(frame(F.HEADERS, END_HEADERS, 1, b"\x3f\xe1\x7f"), E.COMPRESSION_ERROR, id="table size"),
        pytest.param(frame(F.PRIORITY, 0, 0, bytes(5)), E.PROTOCOL_ERROR, id="6.3 PRIORITY on stream 0"),
        pytest.param(frame(F.RST_STREAM, 0, 0, bytes(4)), E.PROTOCOL_ERROR, id="6.4 RST_STREAM on stream 0"),
        pytest.param(frame(F.RST_STREAM, 0, 1, bytes(4)), E.PROTOCOL_ERROR, id="6.4 RST_STREAM, idle"),
        pytest.param(frame(F.RST_STREAM, 0, 1, bytes(3)), E.FRAME_SIZE_ERROR, id="6.4 RST_STREAM's size"),
        pytest.param(frame(F.SETTINGS, 0, 1), E.PROTOCOL_ERROR, id="6.5 SETTINGS on a stream"),
        pytest.param(frame(F.SETTINGS, ACK, 0, bytes(6)), E.FRAME_SIZE_ERROR, id="6.5 ACK with a payload"),
        pytest.param(frame(F.SETTINGS, 0, 0, bytes(5)), E.FRAME_SIZE_ERROR, id="6.5 SETTINGS' size"),
        pytest.param(settings(s2=2), E.PROTOCOL_ERROR, id="6.5.2 ENABLE_PUSH"),
        pytest.param(settings(s4=1 << 31), E.FLOW_CONTROL_ERROR, id="6.5.2 INITIAL_WINDOW_SIZE"),
        pytest.param(settings(s5=16383), E.PROTOCOL_ERROR, id="6.5.2 MAX_FRAME_SIZE too small"),
        pytest.param(settings(s5=1 << 24), E.PROTOCOL_ERROR, id="6.5.2 MAX_FRAME_SIZE too large"),
        pytest.param(
            frame(F.PUSH_PROMISE, END_HEADERS, 1, bytes(5)), E.PROTOCOL_ERROR, id="6.6 PUSH_PROMISE"
        ),
        pytest.param(frame(F.PING, 0, 1, bytes(8)), E.PROTOCOL_ERROR, id="6.7 PING on a stream"),
        pytest.param(frame(F.PING, 0, 0, bytes(7)), E.FRAME_SIZE_ERROR, id="6.7 PING's size"),
        pytest.param(frame(F.GOAWAY, 0, 1, bytes(8)), E.PROTOCOL_ERROR, id="6.8 GOAWAY on a stream"),
        pytest.param(frame(F.GOAWAY, 0, 0, bytes(7)), E.FRAME_SIZE_ERROR, id="6.8 GOAWAY's size"),
        pytest.param(window_update(0, 0), E.PROTOCOL_ERROR, id="6.9 increment 0"),
        pytest.param(window_update(0, (1 << 31) - 1), E.FLOW_CONTROL_ERROR, id="6.9.1 window too large"),
        pytest.param(window_update(1, 1), E.PROTOCOL_ERROR, id="5.1 WINDOW_UPDATE, idle"),
        pytest.param(
            frame(F.WINDOW_UPDATE, 0, 0, bytes(3)), E.FRAME_SIZE_ERROR, id="6.9 WINDOW_UPDATE's size"
        ),
        pytest.param(frame(F.CONTINUATION, END_HEADERS, 1), E.PROTOCOL_ERROR, id="6.10 CONTINUATION alone"),
        pytest.param(
            frame(F.HEADERS, 0, 1, b"\x82") + frame(F.PING, 0, 0, bytes(8)),
            E.PROTOCOL_ERROR,
            id="6.10 interrupted",
        ),
        pytest.param(
            frame(F.HEADERS, 0, 1, b"\x82") + frame(F.CONTINUATION, END_HEADERS, 3),
            E.PROTOCOL_ERROR,
            id="6.10 another stream",
        ),
        pytest.param(frame(F.DATA, 0, 1, bytes(16385)), E.FRAME_SIZE_ERROR, id="4.2 frame too large"),
        pytest.param(frame(F.HEADERS, 0, 1, bytes(16385)), E.FRAME_SIZE_ERROR, id="4.2 HEADERS too large"),
    ],
)
def test_a_connection_error_ends_the_connection(wire: Wire, octets: bytes, code: ErrorCode) -> None:
    wire.send(octets)
    *_, last = wire.frames()
    assert (last.kind, last.code) == (F.GOAWAY, code)
    assert wire.core.state is ConnectionState.CLOSED
    assert wire.send(wire.headers(1), data(1, message(b""))) == []


@pytest.mark.parametrize(
    "octets",
    [b"GET / HTTP/1.1\r\n\r\n" + bytes(20), PREFACE[:-1] + b"\r", PREFACE + frame(F.PING, 0, 0, bytes(8))],
    ids=["HTTP/1", "preface", "PING before SETTINGS"],
)
def test_a_wrong_preface_ends_the_connection(octets: bytes) -> None:
    wire = Wire(ServerConnection(Options()), handshake=False)
    wire.send(octets)
    assert wire.frames()[-1].code is E.PROTOCOL_ERROR


# ---- stream errors: RST_STREAM, and the connection lives on


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (without(":method"), "8.3.1 no :method"),
        (without(":scheme"), "8.3.1 no :scheme"),
        (without(":path"), "8.3.1 no :path"),
        ([*without(":path"), (":path", "")], "8.3.1 empty :path"),
        ([(":method", "POST"), *REQUEST], "8.3 twice"),
        ([*REQUEST, (":path", "/")], "8.3 after regular fields"),
        ([(":status", "200"), *REQUEST], "8.3 of a response"),
        ([(":new", "1"), *REQUEST], "8.3 unknown"),
        ([*REQUEST, ("X-Upper", "1")], "8.2.1 upper case"),
        ([*REQUEST, ("a b", "1")], "8.2.1 name"),
        ([*REQUEST, ("x", "a\nb")], "8.2.1 value"),
        ([*REQUEST, ("x", " a")], "8.2.1 leading space"),
        ([*REQUEST, ("connection", "close")], "8.2.2 connection"),
        ([*without("te"), ("te", "gzip")], "8.2.2 te"),
        ([*REQUEST, ("content-length", "x")], "content-length"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_malformed_request_is_a_stream_error(
    wire: Wire, fields: list[tuple[str, str]], reason: str
) -> None:
    assert wire.send(wire.headers(1, fields), data(1, message(b"x"))) == []
    reset, *rest = wire.frames()
    assert (reset.kind, reset.stream_id, reset.code) == (F.RST_STREAM, 1, E.PROTOCOL_ERROR), reason
    assert rest == []
    assert [stream.id for stream in wire.send(wire.headers(3), data(3, message(b"y")))] == [3]


@pytest.mark.parametrize(
    ("octets", "code"),
    [
        pytest.param(window_update(1, 0), E.PROTOCOL_ERROR, id="6.9 increment 0"),
        pytest.param(window_update(1, (1 << 31) - 1), E.FLOW_CONTROL_ERROR, id="6.9.1 window too large"),
        pytest.param(frame(F.PRIORITY, 0, 1, bytes(4)), E.FRAME_SIZE_ERROR, id="6.3 size"),
        pytest.param(
            frame(F.PRIORITY, 0, 1, b"\0\0\0\x01\0"), E.PROTOCOL_ERROR, id="5.3.1 depends on itself"
        ),
    ],
)
def test_a_stream_error_resets_only_its_stream(wire: Wire, octets: bytes, code: ErrorCode) -> None:
    (stream,) = wire.send(wire.headers(1))
    (ended,) = wire.send(octets)
    (reset,) = wire.frames()
    assert (reset.kind, reset.stream_id, reset.code) == (F.RST_STREAM, 1, code)
    assert ended is stream
    assert stream.state is StreamState.CLOSED
    # What was on its way when the stream was reset is ignored (RFC 9113, section 5.4.2).
    wire.send(data(1, message(b"late")))
    assert wire.frames() == []
    assert wire.core.state is ConnectionState.OPEN


def test_data_after_end_stream_is_stream_closed(wire: Wire) -> None:
    wire.send(wire.headers(1), data(1, message(b"a")))
    wire.send(data(1, b"b"))
    (reset,) = wire.frames()
    assert (reset.kind, reset.code) == (F.RST_STREAM, E.STREAM_CLOSED)


def test_data_after_the_peers_reset_is_stream_closed(wire: Wire) -> None:
    wire.send(wire.headers(1), rst_stream(1), data(1, b"b"))
    (reset,) = wire.frames()
    assert (reset.kind, reset.code) == (F.RST_STREAM, E.STREAM_CLOSED)


def test_headers_on_a_closed_stream_end_the_connection(wire: Wire) -> None:
    (stream,) = wire.send(wire.headers(1), data(1, message(b"a")))
    wire.core.reply(stream, b"")
    wire.frames()
    wire.send(wire.headers(1))
    (goaway,) = wire.frames()
    assert (goaway.kind, goaway.code) == (F.GOAWAY, E.STREAM_CLOSED)


@pytest.mark.parametrize(
    ("length", "payloads"),
    [("3", [b"abcd"]), ("5", [b"abcd"]), ("4", [b"abc", b"de"])],
    ids=["more", "less", "parts"],
)
def test_content_length_must_match(wire: Wire, length: str, payloads: list[bytes]) -> None:
    wire.send(wire.headers(1, [*REQUEST, ("content-length", length)]))
    for payload in payloads[:-1]:
        wire.send(data(1, payload, 0))
    wire.send(data(1, payloads[-1]))
    resets = [frame for frame in wire.frames() if frame.kind is F.RST_STREAM]
    assert [reset.code for reset in resets] == [E.PROTOCOL_ERROR]


def test_trailers_with_pseudo_header_fields_are_a_stream_error(wire: Wire) -> None:
    wire.send(wire.headers(1), wire.headers(1, REQUEST, END_HEADERS | END_STREAM))
    (reset,) = wire.frames()
    assert (reset.kind, reset.code) == (F.RST_STREAM, E.PROTOCOL_ERROR)


# ---- what is allowed


def test_continuation_padding_and_priority_are_understood(wire: Wire) -> None:
    block = wire.block(REQUEST)
    first = bytes([2]) + b"\0\0\0\0\x10" + block[:10] + b"\0\0"
    (stream,) = wire.send(
        frame(F.HEADERS, PADDED | PRIORITY, 1, first),
        frame(F.CONTINUATION, 0, 1, block[10:20]),
        frame(F.CONTINUATION, END_HEADERS, 1, block[20:]),
    )
    wire.send(frame(F.DATA, PADDED | END_STREAM, 1, bytes([3]) + message(b"padded") + b"\0\0\0"))
    assert stream.request is not None
    assert stream.request.path == "/test.Service/Call"
    assert list(stream.messages) == [b"padded"]


def test_unknown_frames_and_settings_are_ignored(wire: Wire) -> None:
    wire.send(frame(0xFA, 0xFF, 7, b"whatever"), settings(s99=1))
    (ack,) = wire.frames()
    assert (ack.kind, ack.flags) == (F.SETTINGS, ACK)


def test_ping_is_answered_with_its_octets(wire: Wire) -> None:
    wire.send(frame(F.PING, 0, 0, b"abcdefgh"))
    (answer,) = wire.frames()
    assert (answer.kind, answer.flags, answer.payload) == (F.PING, ACK, b"abcdefgh")


def test_a_small_call_is_news_once_and_answered_in_one_piece(wire: Wire) -> None:
    (stream,) = wire.send(wire.headers(1), data(1, message(b"hello")))
    assert stream.remote_closed
    assert wire.core.take(stream) == b"hello"
    wire.core.reply(stream, b"world")
    head, body, trailers = wire.frames()
    assert wire.fields(head) == {":status": "200", "content-type": "application/grpc"}
    assert (body.kind, body.payload) == (F.DATA, message(b"world"))
    assert wire.fields(trailers) == {"grpc-status": "0"}
    assert trailers.flags == END_HEADERS | END_STREAM
    assert wire.core.streams == {}


@pytest.mark.parametrize("size", [1, 2, 7, 100])
def test_octets_may_arrive_in_any_pieces(wire: Wire, size: int) -> None:
    octets = (
        wire.headers(1)
        + data(1, message(b"hello"))
        + wire.headers(3, REQUEST, END_HEADERS)
        + data(3, message(b"x"))
    )
    news = [
        stream for start in range(0, len(octets), size) for stream in wire.send(octets[start : start + size])
    ]
    assert {stream.id: list(stream.messages) for stream in news} == {1: [b"hello"], 3: [b"x"]}


def test_a_reply_before_the_request_ends_asks_for_no_more(wire: Wire) -> None:
    (stream,) = {*wire.send(wire.headers(1), data(1, message(b"part one"), 0))}
    wire.core.finish(stream, Status(StatusCode.ABORTED, "enough"))
    trailers, reset = wire.frames()
    assert wire.fields(trailers)["grpc-status"] == "10"
    assert (reset.kind, reset.code) == (F.RST_STREAM, E.NO_ERROR)


def test_trailers_only_carries_the_status_with_everything(wire: Wire) -> None:
    (stream,) = wire.send(wire.headers(1), data(1, message(b"")))
    status = Status(StatusCode.NOT_FOUND, "no %: ü\n", b"\xff\x00", (("x-a", "1"), ("x-bin", b"\x01\x02")))
    wire.core.finish(stream, status)
    (only,) = wire.frames()
    assert only.flags == END_HEADERS | END_STREAM
    assert wire.fields(only) == {
        ":status": "200",
        "content-type": "application/grpc",
        "grpc-status": "5",
        "grpc-message": "no %25: %C3%BC%0A",
        "grpc-status-details-bin": "/wA",
        "x-a": "1",
        "x-bin": "AQI",
    }


# ---- gRPC's own rules


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ([(":method", "GET"), *without(":method")], "405"),
        ([*without("content-type"), ("content-type", "application/json")], "415"),
        ([*without("content-type"), ("content-type", "application/grpcx")], "415"),
        (without("content-type"), "415"),
    ],
)
def test_what_is_not_grpc_gets_an_http_status(wire: Wire, fields: list[tuple[str, str]], status: str) -> None:
    assert wire.send(wire.headers(1, fields, END_HEADERS | END_STREAM)) == []
    head, body = wire.frames()
    assert wire.fields(head)[":status"] == status
    assert body.flags == END_STREAM


@pytest.mark.parametrize(
    "content_type", ["application/grpc", "application/grpc+proto", "application/grpc;x=y"]
)
def test_content_types_of_grpc_are_accepted(wire: Wire, content_type: str) -> None:
    fields = [*without("content-type"), ("content-type", content_type)]
    assert len(wire.send(wire.headers(1, fields), data(1, message(b"x")))) == 1


@pytest.mark.parametrize(
    ("fields", "octets", "code"),
    [
        ([("grpc-timeout", "5x")], b"", StatusCode.INTERNAL),
        ([("grpc-timeout", "123456789S")], b"", StatusCode.INTERNAL),
        ([("grpc-encoding", "snappy")], b"", StatusCode.UNIMPLEMENTED),
        ([("x", "y" * 70_000)], b"", StatusCode.RESOURCE_EXHAUSTED),
        ([], message(b"x", flag=1), StatusCode.INTERNAL),
        ([], message(b"x", flag=2), StatusCode.INTERNAL),
        ([], message(b"x" * 1001), StatusCode.RESOURCE_EXHAUSTED),
        ([], message(b"cut")[:-1], StatusCode.INTERNAL),
        (
            [("grpc-encoding", "gzip")],
            message(gzip.compress(bytes(2000)), flag=1),
            StatusCode.RESOURCE_EXHAUSTED,
        ),
        ([("grpc-encoding", "gzip")], message(b"not gzip", flag=1), StatusCode.INTERNAL),
    ],
)
def test_a_call_that_cannot_be_served_ends_with_a_status(
    fields: list[tuple[str, str]], octets: bytes, code: StatusCode
) -> None:
    wire = server(max_receive_message_size=1000)
    block = wire.block([*REQUEST, *fields])
    parts = [block[start : start + 16000] for start in range(0, len(block), 16000)]
    first, *rest = parts
    wire.send(frame(F.HEADERS, 0 if rest else END_HEADERS, 1, first))
    for number, part in enumerate(rest, 1):
        wire.send(frame(F.CONTINUATION, END_HEADERS if number == len(rest) else 0, 1, part))
    if octets:
        wire.send(data(1, octets))
    only = wire.frames()[0]
    assert wire.fields(only)["grpc-status"] == str(int(code))
    assert only.flags & END_STREAM


def test_gzip_is_understood_and_answered_if_accepted() -> None:
    wire = server(compression="gzip")
    for stream_id, accepted in ((1, "gzip"), (3, "identity, gzip"), (5, "identity"), (7, "xgzip")):
        fields = [*REQUEST, ("grpc-encoding", "gzip"), ("grpc-accept-encoding", accepted)]
        octets = message(gzip.compress(b"a" * 500), flag=1)
        (stream,) = {*wire.send(wire.headers(stream_id, fields), data(stream_id, octets))}
        assert wire.core.take(stream) == b"a" * 500
        wire.core.reply(stream, b"b" * 500)
        head, body, _ = wire.frames()
        assert (wire.fields(head).get("grpc-encoding") == "gzip") is (stream_id < 5)
        assert body.payload[0] == (1 if stream_id < 5 else 0)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("1H", 3600.0), ("2M", 120.0), ("3S", 3.0), ("4m", 0.004), ("5u", 5e-6), ("99999999n", 0.099999999)],
)
def test_timeouts_arrive_whether_or_not_the_block_is_known(wire: Wire, value: str, seconds: float) -> None:
    for stream_id in (1, 3, 5):
        fields = [*REQUEST, ("grpc-timeout", value), ("x-after", "1")]
        (stream,) = wire.send(wire.headers(stream_id, fields), data(stream_id, message(b"")))
        assert stream.timeout == pytest.approx(seconds)
        assert stream.request is not None
        assert ("x-after", "1") in stream.request.metadata


# ---- limits


def test_streams_beyond_the_limit_are_refused() -> None:
    wire = server(max_concurrent_streams=2)
    wire.send(wire.headers(1), wire.headers(3), wire.headers(5))
    (reset,) = wire.frames()
    assert (reset.stream_id, reset.code) == (5, E.REFUSED_STREAM)


@pytest.mark.parametrize(
    "octets",
    [
        frame(F.PING, 0, 0, bytes(8)),
        settings(),
        frame(F.PRIORITY, 0, 1, bytes(5)),
        frame(0x77),
        data(1, b"", 0),
    ],
    ids=["PING", "SETTINGS", "PRIORITY", "unknown", "empty DATA"],
)
def test_a_flood_of_frames_ends_the_connection(octets: bytes) -> None:
    wire = Wire(ServerConnection(Options(max_resets=100), clock=lambda: 0.0))
    wire.send(wire.headers(1))
    wire.send(octets * 98)
    assert wire.core.state is ConnectionState.OPEN
    wire.send(octets * 4)
    assert wire.core.fault is not None
    assert wire.core.fault.code is E.ENHANCE_YOUR_CALM


def test_rapid_resets_end_the_connection() -> None:
    wire = Wire(ServerConnection(Options(max_resets=100), clock=lambda: 0.0))
    for stream_id in range(1, 2 * 110, 2):
        wire.send(wire.headers(stream_id), rst_stream(stream_id))
    assert wire.core.fault is not None
    assert wire.core.fault.code is E.ENHANCE_YOUR_CALM


def test_pings_at_a_sensible_pace_never_end_the_connection() -> None:
    now = [0.0]
    wire = Wire(ServerConnection(Options(max_resets=100), clock=lambda: now[0]))
    for _ in range(1000):
        now[0] += 1.0
        wire.send(frame(F.PING, 0, 0, bytes(8)))
    assert wire.core.state is ConnectionState.OPEN


def test_pings_along_with_answered_calls_never_end_the_connection() -> None:
    wire = Wire(ServerConnection(Options(max_resets=100), clock=lambda: 0.0))
    for stream_id in range(1, 2000, 2):
        (stream,) = wire.send(
            frame(F.PING, 0, 0, bytes(8)), wire.headers(stream_id), data(stream_id, message(b""))
        )
        wire.core.reply(stream, b"")
    assert wire.core.state is ConnectionState.OPEN


def test_an_endless_header_block_ends_the_connection() -> None:
    wire = server(max_header_list_size=16384)
    wire.send(frame(F.HEADERS, 0, 1, bytes(16000)))
    for _ in range(5):
        wire.send(frame(F.CONTINUATION, 0, 1, bytes(16000)))
    assert wire.core.fault is not None
    assert wire.core.fault.code is E.ENHANCE_YOUR_CALM


# ---- the end


def test_shutdown_serves_what_is_on_its_way_and_nothing_after(wire: Wire) -> None:
    (first,) = wire.send(wire.headers(1), data(1, message(b"a")))
    wire.core.shut_down()
    goaway, ping = wire.frames()
    assert (goaway.kind, goaway.code, goaway.payload[:4]) == (F.GOAWAY, E.NO_ERROR, b"\x7f\xff\xff\xff")
    (second,) = wire.send(wire.headers(3), data(3, message(b"b")))
    wire.send(frame(F.PING, ACK, 0, ping.payload))
    (last,) = wire.frames()
    assert struct.unpack(">LL", last.payload) == (3, E.NO_ERROR)
    assert wire.send(wire.headers(5), data(5, message(b"c"))) == []
    assert not wire.core.drained
    for stream in (first, second):
        wire.core.reply(stream, b"")
    assert wire.core.drained


def test_the_end_of_the_socket_ends_all_streams(wire: Wire) -> None:
    (stream,) = wire.send(wire.headers(1))
    assert wire.core.connection_lost() == [stream]
    assert stream.closed
    assert wire.core.connection_lost() == []
