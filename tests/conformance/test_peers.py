"""Every client against every server: both drivers, grpcio and grpc-go."""

from __future__ import annotations

import hashlib
import os
import threading

import pytest

from mattermost_plugin._grpc import RpcError, StatusCode
from tests.conformance.conftest import SERVERS
from tests.conformance.faces import FACES, Face

OURS = ("aio", "uvloop", "threads")
PAIRS = [(client, server) for client in FACES for server in SERVERS if client in OURS or server in OURS]
all_pairs = pytest.mark.parametrize("face", PAIRS, indirect=True, ids="-to-".join)
SIZES = [0, 1, 5, 16378, 16379, 16384, 65530, 65536, 1 << 20]


@all_pairs
def test_messages_of_any_size_come_back_as_they_went(face: Face) -> None:
    for size in SIZES:
        request = os.urandom(size)
        assert face.unary("/test.Octets/Echo", request) == request


@pytest.mark.parametrize("pair", [p for p in PAIRS if "uvloop" not in p], ids="-to-".join)
def test_messages_of_256_mib_pass_both_ways(pair: tuple[str, str], servers: dict[str, str]) -> None:
    client, server = pair
    request = os.urandom(1 << 20) * 256
    with FACES[client](servers[server]) as face:
        assert face.unary("/test.Octets/Echo", request) == request


@pytest.mark.parametrize("pair", PAIRS, ids="-to-".join)
def test_compressed_messages_pass(pair: tuple[str, str], servers: dict[str, str]) -> None:
    client, server = pair
    request = bytes(300_000) + os.urandom(1000)
    with FACES[client](servers[server], gzip=True) as face:
        assert face.unary("/test.Octets/Echo", request) == request
        digest = hashlib.sha256(request * 3).hexdigest().encode()
        assert face.send_all("/test.Octets/Digest", [request] * 3) == digest


@all_pairs
def test_metadata_arrives_and_returns(face: Face) -> None:
    sent = [("x-text", "a, b"), ("x-text", "~ c"), ("x-octets-bin", b"\x00\xff\x0a"), ("x-empty-bin", b"")]
    call = face.both_ways("/test.Octets/EchoAll", [b"1"], metadata=sent)
    assert list(call) == [b"1"]
    response = face.unary("/test.Octets/Metadata", b"", metadata=sent)
    assert response in (
        b"",
        repr(sorted(sent, key=repr)).encode(),
    )  # grpc-go's server has nothing to say here


@all_pairs
def test_status_message_details_and_trailing_metadata_arrive(face: Face) -> None:
    with pytest.raises(RpcError) as raised:
        face.unary("/test.Octets/Fail", "5|nothing here: 100% 中文\n".encode())
    error = raised.value
    assert (error.code, error.message) == (StatusCode.NOT_FOUND, "nothing here: 100% 中文\n")
    assert ("x-why", "because") in list(error.trailing_metadata)
    assert error.details in (b"", b"\x08\x05\x12\x03why")


@all_pairs
def test_deadline_arrives_and_ends_the_call_on_both_sides(face: Face) -> None:
    assert face.unary("/test.Octets/Deadline", b"") == b"none"
    assert 30 < float(face.unary("/test.Octets/Deadline", b"", timeout=60)) < 61  # grpcio rounds up
    name = os.urandom(8).hex().encode()
    with pytest.raises(RpcError) as raised:
        face.unary("/test.Octets/Hang", name, timeout=1)
    assert raised.value.code is StatusCode.DEADLINE_EXCEEDED
    assert face.unary("/test.Octets/WasCancelled", name) == b"yes"


@all_pairs
def test_streams_pass_in_order(face: Face) -> None:
    chunks = list(face.receive_all("/test.Octets/Chunks", b"300x20000"))
    assert [chunk.partition(b"|")[0] for chunk in chunks] == [b"%d" % number for number in range(300)]
    requests = [os.urandom(50_000) for _ in range(100)]
    assert (
        face.send_all("/test.Octets/Digest", requests)
        == hashlib.sha256(b"".join(requests)).hexdigest().encode()
    )
    assert list(face.both_ways("/test.Octets/EchoAll", requests)) == requests


@all_pairs
def test_a_stream_that_is_given_up_leaves_the_channel_usable(face: Face) -> None:
    call = face.receive_all("/test.Octets/Chunks", b"10000x50000")
    assert next(call).startswith(b"0|")
    call.cancel()
    assert face.unary("/test.Octets/Echo", b"still here") == b"still here"


@all_pairs
def test_many_calls_at_once_do_not_mix(face: Face) -> None:
    failures: list[object] = []

    def call(number: int) -> None:
        for _ in range(20):
            request = b"%d|" % number + os.urandom(3000)
            response = face.unary("/test.Octets/Echo", request)
            if response != request:
                failures.append((number, response[:10]))

    callers = [threading.Thread(target=call, args=(number,)) for number in range(16)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert failures == []


@pytest.mark.parametrize("client", FACES)
@pytest.mark.parametrize("server", OURS)
def test_an_exception_in_a_handler_is_internal_and_keeps_its_text(
    client: str, server: str, servers: dict[str, str]
) -> None:
    with FACES[client](servers[server]) as face, pytest.raises(RpcError) as raised:
        face.unary("/test.Octets/Crash", b"")
    assert raised.value.code is StatusCode.INTERNAL
    assert "not for the wire" not in raised.value.message
