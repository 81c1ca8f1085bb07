"""grpc-go's interop cases with both drivers' channels as the clients, of grpc-go's server and the others."""

from __future__ import annotations

from typing import Any

import pytest

from mattermost_plugin._grpc import RpcError, StatusCode
from tests.conformance import interop_messages as pb
from tests.conformance.conftest import SERVERS
from tests.conformance.faces import Face, Feed

SERVICE = "/grpc.testing.TestService/"
PAIRS = [(client, server) for client in ("aio", "uvloop", "threads") for server in SERVERS]
pytestmark = pytest.mark.parametrize("face", PAIRS, indirect=True, ids="-to-".join)

_INITIAL = ("x-grpc-test-echo-initial", "test_initial_metadata_value")
_TRAILING = ("x-grpc-test-echo-trailing-bin", b"\x0a\x0b\x0a\x0b\x0a\x0b")


def _payload(size: int) -> Any:
    return pb.Payload(body=bytes(size))


def _unary(face: Face, request: Any, **options: Any) -> Any:
    return pb.SimpleResponse.FromString(face.unary(SERVICE + "UnaryCall", pb.encode(request), **options))


def _output_request(*sizes: int, interval_us: int = 0, payload: int = 0, **fields: Any) -> bytes:
    parameters = [pb.ResponseParameters(size=size, interval_us=interval_us) for size in sizes]
    request = pb.StreamingOutputCallRequest(
        response_parameters=parameters, payload=_payload(payload), **fields
    )
    return pb.encode(request)


def _size(response: bytes) -> int:
    return len(pb.StreamingOutputCallResponse.FromString(response).payload.body)


def test_empty_unary(face: Face) -> None:
    assert face.unary(SERVICE + "EmptyCall", b"") == b""


def test_large_unary(face: Face) -> None:
    response = _unary(face, pb.SimpleRequest(response_size=314159, payload=_payload(271828)))
    assert len(response.payload.body) == 314159


def test_client_streaming(face: Face) -> None:
    requests = [
        pb.encode(pb.StreamingInputCallRequest(payload=_payload(size))) for size in (27182, 8, 1828, 45904)
    ]
    response = pb.StreamingInputCallResponse.FromString(
        face.send_all(SERVICE + "StreamingInputCall", requests)
    )
    assert response.aggregated_payload_size == 74922


def test_server_streaming(face: Face) -> None:
    request = _output_request(31415, 9, 2653, 58979)
    assert [_size(response) for response in face.receive_all(SERVICE + "StreamingOutputCall", request)] == [
        31415,
        9,
        2653,
        58979,
    ]


def test_ping_pong(face: Face) -> None:
    feed = Feed()
    call = face.both_ways(SERVICE + "FullDuplexCall", feed)
    for sent, wanted in ((27182, 31415), (8, 9), (1828, 2653), (45904, 58979)):
        feed.send(_output_request(wanted, payload=sent))
        assert _size(next(call)) == wanted
    feed.end()
    assert list(call) == []


def test_empty_stream(face: Face) -> None:
    assert list(face.both_ways(SERVICE + "FullDuplexCall", [])) == []


def test_timeout_on_sleeping_server(face: Face) -> None:
    request = _output_request(1, interval_us=2_000_000, payload=27182)
    with pytest.raises(RpcError) as raised:
        list(face.both_ways(SERVICE + "FullDuplexCall", [request], timeout=0.05))
    assert raised.value.code is StatusCode.DEADLINE_EXCEEDED


def test_cancel_after_begin(face: Face) -> None:
    feed = Feed()
    call = face.both_ways(SERVICE + "FullDuplexCall", feed, metadata=[("key1", "value1")])
    call.cancel()
    feed.end()
    with pytest.raises(RpcError) as raised:
        next(call)
    assert raised.value.code is StatusCode.CANCELLED


def test_cancel_after_first_response(face: Face) -> None:
    feed = Feed()
    call = face.both_ways(SERVICE + "FullDuplexCall", feed)
    feed.send(_output_request(31415, payload=27182))
    assert _size(next(call)) == 31415
    call.cancel()
    feed.end()
    with pytest.raises(RpcError) as raised:
        next(call)
    assert raised.value.code is StatusCode.CANCELLED


def test_custom_metadata(face: Face) -> None:
    feed = Feed()
    call = face.both_ways(SERVICE + "FullDuplexCall", feed, metadata=[_INITIAL, _TRAILING])
    feed.send(_output_request(1, payload=1))
    assert _INITIAL in call.initial_metadata()
    assert _size(next(call)) == 1
    feed.end()
    assert list(call) == []
    assert _TRAILING in call.trailing_metadata()


def test_status_code_and_message(face: Face) -> None:
    status = pb.EchoStatus(code=2, message="test status message")
    with pytest.raises(RpcError) as raised:
        _unary(face, pb.SimpleRequest(response_status=status))
    assert (raised.value.code, raised.value.message) == (StatusCode.UNKNOWN, "test status message")
    with pytest.raises(RpcError) as raised:
        list(face.both_ways(SERVICE + "FullDuplexCall", [_output_request(response_status=status)]))
    assert (raised.value.code, raised.value.message) == (StatusCode.UNKNOWN, "test status message")


def test_special_status_message(face: Face) -> None:
    message = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"
    with pytest.raises(RpcError) as raised:
        _unary(face, pb.SimpleRequest(response_status=pb.EchoStatus(code=2, message=message)), timeout=10)
    assert (raised.value.code, raised.value.message) == (StatusCode.UNKNOWN, message)


@pytest.mark.parametrize("path", ["/grpc.testing.TestService/UnimplementedCall", "/grpc.testing.No/Call"])
def test_unimplemented(face: Face, path: str) -> None:
    with pytest.raises(RpcError) as raised:
        face.unary(path, b"")
    assert raised.value.code is StatusCode.UNIMPLEMENTED
