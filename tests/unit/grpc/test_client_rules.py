"""The rules of RFC 9113 and of gRPC over HTTP/2, as a client keeps them."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from mattermost_plugin._grpc import Options, RpcError, StatusCode
from mattermost_plugin._grpc.client import ClientConnection, request_template
from mattermost_plugin._grpc.client_calls import call_headers, single_response
from mattermost_plugin._grpc.control import ConnectionState
from mattermost_plugin._grpc.errors import ErrorCode
from mattermost_plugin._grpc.frames import FrameType
from mattermost_plugin._grpc.status import Status
from tests.unit.grpc.wire import (
    ACK,
    END_HEADERS,
    END_STREAM,
    OK,
    RESPONSE,
    Wire,
    data,
    frame,
    message,
    rst_stream,
    settings,
)

F = FrameType
E = ErrorCode
LAST = END_HEADERS | END_STREAM
TEMPLATE = request_template("/test.Service/Call", "localhost", Options(user_agent="tests"), tls=False)


@pytest.fixture
def wire() -> Wire:
    return Wire(ClientConnection(Options()), client=False)


def begin(wire: Wire, request: bytes = b"hello") -> Any:
    stream = wire.core.request(TEMPLATE, request)
    wire.frames()
    return stream


def test_a_request_is_one_header_block_and_one_message(wire: Wire) -> None:
    template, extra = call_headers(TEMPLATE, 1.5, [("x-a", "1"), ("x-bin", b"\x00")])
    wire.core.request(template, b"hello", extra)
    head, body = wire.frames()
    assert wire.fields(head) == {
        ":method": "POST",
        ":scheme": "http",
        ":path": "/test.Service/Call",
        ":authority": "localhost",
        "te": "trailers",
        "content-type": "application/grpc",
        "user-agent": "tests",
        "grpc-accept-encoding": "identity,gzip",
        "grpc-timeout": "1500000u",
        "x-a": "1",
        "x-bin": "AA",
    }
    assert (body.flags, body.payload) == (END_STREAM, message(b"hello"))


@pytest.mark.parametrize("times", [1, 3])
def test_a_response_is_its_message_once_it_has_ended(wire: Wire, times: int) -> None:
    for _ in range(times):  # from the second on, its header blocks are known
        stream = begin(wire)
        octets = wire.headers(stream.id, RESPONSE) + data(stream.id, message(b"world"), 0)
        wire.send(octets + wire.headers(stream.id, OK, LAST))
        assert single_response(stream, None) == b"world"
        assert wire.core.streams == {}


def test_a_status_arrives_with_everything(wire: Wire) -> None:
    stream = begin(wire)
    fields = [
        *RESPONSE,
        ("grpc-status", "5"),
        ("grpc-message", "a%25 %C3%BC%zz"),
        ("grpc-status-details-bin", "/wA="),
        ("x-a", "1"),
        ("x-bin", "AQI,Aw"),
    ]
    wire.send(wire.headers(stream.id, fields, LAST))
    with pytest.raises(RpcError) as raised:
        single_response(stream, None)
    error = raised.value
    assert (error.code, error.message, error.details) == (StatusCode.NOT_FOUND, "a% ü%zz", b"\xff\x00")
    assert error.trailing_metadata == (("x-a", "1"), ("x-bin", b"\x01\x02"), ("x-bin", b"\x03"))


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ([(":status", "404"), ("content-type", "text/html")], StatusCode.UNIMPLEMENTED),
        ([(":status", "401"), ("content-type", "text/html")], StatusCode.UNAUTHENTICATED),
        ([(":status", "403"), ("content-type", "text/html")], StatusCode.PERMISSION_DENIED),
        ([(":status", "429"), ("content-type", "text/html")], StatusCode.UNAVAILABLE),
        ([(":status", "503"), ("content-type", "text/html")], StatusCode.UNAVAILABLE),
        ([(":status", "400"), ("content-type", "text/html")], StatusCode.INTERNAL),
        ([(":status", "500"), ("content-type", "text/html")], StatusCode.UNKNOWN),
        ([(":status", "200"), ("content-type", "text/html")], StatusCode.UNKNOWN),
        ([*RESPONSE, ("grpc-status", "99")], StatusCode.UNKNOWN),
        ([*RESPONSE, ("grpc-status", "x")], StatusCode.UNKNOWN),
        (RESPONSE, StatusCode.INTERNAL),
    ],
)
@pytest.mark.parametrize("ends", [True, False])
def test_what_is_not_a_grpc_response_has_a_status_of_its_own(
    wire: Wire, fields: list[tuple[str, str]], code: StatusCode, ends: bool
) -> None:
    stream = begin(wire)
    wire.send(wire.headers(stream.id, fields, LAST if ends else END_HEADERS))
    if stream.status is None:
        wire.send(data(stream.id, b""))
    assert stream.status is not None
    assert stream.status.code is (code if ends or fields[0] != (":status", "200") else stream.status.code)
    assert stream.status.code is not StatusCode.OK


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (E.NO_ERROR, StatusCode.INTERNAL),
        (E.PROTOCOL_ERROR, StatusCode.INTERNAL),
        (E.REFUSED_STREAM, StatusCode.UNAVAILABLE),
        (E.CANCEL, StatusCode.CANCELLED),
        (E.ENHANCE_YOUR_CALM, StatusCode.RESOURCE_EXHAUSTED),
        (E.INADEQUATE_SECURITY, StatusCode.PERMISSION_DENIED),
    ],
)
def test_a_reset_becomes_a_status(wire: Wire, code: ErrorCode, status: StatusCode) -> None:
    stream = begin(wire)
    wire.send(rst_stream(stream.id, code))
    assert stream.status is not None
    assert stream.status.code is status
    assert stream.refused is (code is E.REFUSED_STREAM)


def test_no_error_after_the_response_keeps_its_status(wire: Wire) -> None:
    stream = wire.core.open(TEMPLATE)
    wire.send(wire.headers(stream.id, [*RESPONSE, *OK], LAST), rst_stream(stream.id, E.NO_ERROR))
    assert stream.status == Status(StatusCode.OK)
    assert wire.core.streams == {}


@pytest.mark.parametrize(
    ("octets", "code"),
    [
        (lambda w: w.headers(1, [("content-type", "application/grpc")]), E.PROTOCOL_ERROR),
        (lambda w: w.headers(1, [*RESPONSE, (":status", "200")]), E.PROTOCOL_ERROR),
        (lambda w: w.headers(1, RESPONSE) + w.headers(1, OK), E.PROTOCOL_ERROR),
        (lambda w: w.headers(1, RESPONSE) + w.headers(1, [*OK, ("A", "b")], LAST), E.PROTOCOL_ERROR),
        (lambda w: w.headers(1, [(":status", "100")], LAST), E.PROTOCOL_ERROR),
        (lambda _: data(1, message(b"x")), E.PROTOCOL_ERROR),
    ],
    ids=["no status", "status twice", "trailers without end", "upper case", "interim end", "DATA first"],
)
def test_a_malformed_response_is_a_stream_error(wire: Wire, octets: Any, code: ErrorCode) -> None:
    stream = begin(wire)
    wire.send(octets(wire))
    resets = [frame for frame in wire.frames() if frame.kind is F.RST_STREAM]
    assert [(reset.stream_id, reset.code) for reset in resets] == [(1, code)]
    assert stream.status is not None
    assert stream.status.code is StatusCode.INTERNAL
    assert wire.core.state is ConnectionState.OPEN


@pytest.mark.parametrize(
    "octets",
    [
        frame(F.HEADERS, END_HEADERS, 2, b"\x88"),
        frame(F.HEADERS, END_HEADERS, 3, b"\x88"),
        frame(F.PUSH_PROMISE, END_HEADERS, 1, b"\0\0\0\x02\x82"),
        settings(s2=1),
    ],
    ids=["even stream", "idle stream", "PUSH_PROMISE", "ENABLE_PUSH"],
)
def test_a_server_that_breaks_the_connections_rules_loses_it(wire: Wire, octets: bytes) -> None:
    stream = begin(wire)
    wire.send(octets)
    assert wire.frames()[-1].code is E.PROTOCOL_ERROR
    assert stream.status is not None
    assert stream.status.code is StatusCode.INTERNAL


def test_interim_responses_are_skipped(wire: Wire) -> None:
    stream = begin(wire)
    wire.send(wire.headers(1, [(":status", "103")]), wire.headers(1, RESPONSE))
    wire.send(data(1, message(b"x"), 0), wire.headers(1, OK, LAST))
    assert single_response(stream, None) == b"x"


@pytest.mark.parametrize("count", [0, 2])
def test_a_unary_call_wants_exactly_one_message(wire: Wire, count: int) -> None:
    stream = begin(wire)
    octets = b"".join(data(1, message(b"x"), 0) for _ in range(count))
    wire.send(wire.headers(1, RESPONSE), octets, wire.headers(1, OK, LAST))
    with pytest.raises(RpcError) as raised:
        single_response(stream, None)
    assert raised.value.code is StatusCode.UNIMPLEMENTED


def test_a_response_that_ends_within_a_message_is_internal(wire: Wire) -> None:
    stream = begin(wire)
    wire.send(wire.headers(1, RESPONSE), data(1, message(b"long")[:-1], 0), wire.headers(1, OK, LAST))
    assert stream.status is not None
    assert stream.status.code is StatusCode.INTERNAL


def test_a_message_over_the_limit_is_resource_exhausted() -> None:
    wire = Wire(ClientConnection(Options(max_receive_message_size=10)), client=False)
    stream = begin(wire)
    wire.send(wire.headers(1, RESPONSE), data(1, message(bytes(11)), 0))
    assert stream.status is not None
    assert stream.status.code is StatusCode.RESOURCE_EXHAUSTED
    assert wire.frames()[-1].code is E.CANCEL


def test_a_request_over_the_limit_is_not_sent() -> None:
    wire = Wire(ClientConnection(Options(max_send_message_size=10)), client=False)
    with pytest.raises(RpcError) as raised:
        wire.core.request(TEMPLATE, bytes(11))
    assert raised.value.code is StatusCode.RESOURCE_EXHAUSTED
    assert wire.frames() == []


def test_goaway_refuses_what_the_server_has_not_seen(wire: Wire) -> None:
    seen, unseen = begin(wire), begin(wire)
    wire.send(frame(F.GOAWAY, 0, 0, struct.pack(">LL", 1, 0) + b"bye"))
    assert (seen.status, seen.refused) == (None, False)
    assert unseen.refused
    assert unseen.status is not None
    assert (unseen.status.code, unseen.status.message) == (
        StatusCode.UNAVAILABLE,
        "the server is going away: bye",
    )
    assert not wire.core.usable
    wire.send(wire.headers(1, RESPONSE), data(1, message(b"x"), 0), wire.headers(1, OK, LAST))
    assert single_response(seen, None) == b"x"


def test_the_end_of_the_socket_is_unavailable(wire: Wire) -> None:
    stream = begin(wire)
    assert wire.core.connection_lost() == [stream]
    assert stream.status is not None
    assert stream.status.code is StatusCode.UNAVAILABLE


def test_cancelling_resets_the_stream_and_ignores_what_comes_late(wire: Wire) -> None:
    stream = begin(wire)
    wire.core.cancel(stream, Status(StatusCode.CANCELLED, "enough"))
    (reset,) = wire.frames()
    assert (reset.kind, reset.code) == (F.RST_STREAM, E.CANCEL)
    late = wire.headers(1, RESPONSE) + data(1, message(b"x"), 0) + wire.headers(1, OK, LAST)
    assert wire.send(late) == []
    assert wire.frames() == []
    assert wire.core.state is ConnectionState.OPEN


def test_the_servers_limit_of_streams_is_kept(wire: Wire) -> None:
    wire.send(settings(s3=2))
    begin(wire)
    assert wire.core.can_open
    begin(wire)
    assert not wire.core.can_open
    wire.send(wire.headers(1, [*RESPONSE, *OK], LAST))
    assert wire.core.can_open


def test_pings_of_the_server_are_answered(wire: Wire) -> None:
    wire.send(frame(F.PING, 0, 0, b"12345678"))
    (answer,) = wire.frames()
    assert (answer.kind, answer.flags, answer.payload) == (F.PING, ACK, b"12345678")
