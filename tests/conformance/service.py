"""What the servers under test serve: grpc.testing.TestService, and methods over plain octets."""

from __future__ import annotations

import asyncio
import hashlib
import time
from typing import TYPE_CHECKING, Any

from mattermost_plugin._grpc import Handler, Kind, StatusCode
from tests.conformance import interop_messages as pb

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

SERVICE = "/grpc.testing.TestService/"
_INITIAL = "x-grpc-test-echo-initial"
_TRAILING = "x-grpc-test-echo-trailing-bin"


def _echo_metadata(call: Any) -> None:
    initial = [(key, value) for key, value in call.metadata if key == _INITIAL]
    trailing = [(key, value) for key, value in call.metadata if key == _TRAILING]
    if initial:
        call.send_initial_metadata(initial)
    if trailing:
        call.set_trailing_metadata(trailing)


def _check_status(request: Any, call: Any) -> None:
    if request.response_status.code:
        call.abort(StatusCode(request.response_status.code), request.response_status.message)


def _empty_call(request: Any, call: Any) -> Any:
    return request


def _unary_call(request: Any, call: Any) -> Any:
    _echo_metadata(call)
    _check_status(request, call)
    return pb.SimpleResponse(
        payload=pb.Payload(type=request.response_type, body=bytes(request.response_size))
    )


def _output(parameters: Any, kind: int) -> Any:
    return pb.StreamingOutputCallResponse(payload=pb.Payload(type=kind, body=bytes(parameters.size)))


def _streaming_output(request: Any, call: Any) -> Iterator[Any]:
    for parameters in request.response_parameters:
        time.sleep(parameters.interval_us / 1e6)
        yield _output(parameters, request.response_type)


async def _streaming_output_async(request: Any, call: Any) -> AsyncIterator[Any]:
    for parameters in request.response_parameters:
        await asyncio.sleep(parameters.interval_us / 1e6)
        yield _output(parameters, request.response_type)


def _streaming_input(requests: Iterator[Any], call: Any) -> Any:
    size = sum(len(request.payload.body) for request in requests)
    return pb.StreamingInputCallResponse(aggregated_payload_size=size)


async def _streaming_input_async(requests: AsyncIterator[Any], call: Any) -> Any:
    size = 0
    async for request in requests:
        size += len(request.payload.body)
    return pb.StreamingInputCallResponse(aggregated_payload_size=size)


def _full_duplex(requests: Iterator[Any], call: Any) -> Iterator[Any]:
    _echo_metadata(call)
    for request in requests:
        _check_status(request, call)
        yield from _streaming_output(request, call)


async def _full_duplex_async(requests: AsyncIterator[Any], call: Any) -> AsyncIterator[Any]:
    _echo_metadata(call)
    async for request in requests:
        _check_status(request, call)
        async for response in _streaming_output_async(request, call):
            yield response


# ---- octets


def _echo(request: bytes, call: Any) -> bytes:
    return request


def _metadata(request: bytes, call: Any) -> bytes:
    """Answer with all metadata that came, and send it back before and after."""
    sent_back = [(key, value) for key, value in call.metadata if key.startswith("x-")]
    call.send_initial_metadata(sent_back)
    call.set_trailing_metadata(sent_back)
    return repr(sorted(sent_back, key=repr)).encode()


def _fail(request: bytes, call: Any) -> bytes:
    code, message = request.split(b"|", 1)
    call.set_trailing_metadata([("x-why", "because")])
    call.abort(StatusCode(int(code)), message.decode(), b"\x08\x05\x12\x03why")
    raise AssertionError


def _crash(request: bytes, call: Any) -> bytes:
    raise ZeroDivisionError("not for the wire")


def _deadline(request: bytes, call: Any) -> bytes:
    remaining = call.time_remaining()
    return b"none" if remaining is None else b"%.3f" % remaining


#: Cancelled calls by the name that their request gave.
CANCELLED: dict[bytes, float] = {}


def _was_cancelled(request: bytes, call: Any) -> bytes:
    end = time.monotonic() + 30
    while request not in CANCELLED and time.monotonic() < end:
        time.sleep(0.01)
    return b"yes" if request in CANCELLED else b"no"


async def _was_cancelled_async(request: bytes, call: Any) -> bytes:
    return await asyncio.to_thread(_was_cancelled, request, call)


def _hang(request: bytes, call: Any) -> bytes:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if call.cancelled:
            CANCELLED[request] = time.monotonic()
            return b""
        time.sleep(0.005)
    return b"never cancelled"


async def _hang_async(request: bytes, call: Any) -> bytes:
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        CANCELLED[request] = time.monotonic()
        raise
    return b"never cancelled"


def _digest(requests: Iterator[bytes], call: Any) -> bytes:
    digest = hashlib.sha256()
    for request in requests:
        digest.update(request)
    return digest.hexdigest().encode()


async def _digest_async(requests: AsyncIterator[bytes], call: Any) -> bytes:
    digest = hashlib.sha256()
    async for request in requests:
        digest.update(request)
    return digest.hexdigest().encode()


def _chunks(request: bytes, call: Any) -> Iterator[bytes]:
    count, size = map(int, request.split(b"x"))
    for number in range(count):
        yield b"%d|" % number + bytes(size)


async def _chunks_async(request: bytes, call: Any) -> AsyncIterator[bytes]:
    for chunk in _chunks(request, call):
        yield chunk


def _echo_all(requests: Iterator[bytes], call: Any) -> Iterator[bytes]:
    yield from requests


async def _echo_all_async(requests: AsyncIterator[bytes], call: Any) -> AsyncIterator[bytes]:
    async for request in requests:
        yield request


def handlers(driver: str) -> dict[str, Handler]:
    """Return the handlers for a driver, "aio" or "threads"."""
    is_async = driver == "aio"

    def message(kind: Kind, function: Any, request: Any) -> Handler:
        return Handler(kind, function, request.FromString, pb.encode)

    def octets(kind: Kind, function: Any) -> Handler:
        return Handler(kind, function, bytes, bytes)

    interop = {
        "EmptyCall": message(Kind.UNARY_UNARY, _empty_call, pb.Empty),
        "UnaryCall": message(Kind.UNARY_UNARY, _unary_call, pb.SimpleRequest),
        "StreamingOutputCall": message(
            Kind.UNARY_STREAM,
            _streaming_output_async if is_async else _streaming_output,
            pb.StreamingOutputCallRequest,
        ),
        "StreamingInputCall": message(
            Kind.STREAM_UNARY,
            _streaming_input_async if is_async else _streaming_input,
            pb.StreamingInputCallRequest,
        ),
        "FullDuplexCall": message(
            Kind.STREAM_STREAM,
            _full_duplex_async if is_async else _full_duplex,
            pb.StreamingOutputCallRequest,
        ),
    }
    plain = {
        "Echo": octets(Kind.UNARY_UNARY, _echo),
        "Metadata": octets(Kind.UNARY_UNARY, _metadata),
        "Fail": octets(Kind.UNARY_UNARY, _fail),
        "Crash": octets(Kind.UNARY_UNARY, _crash),
        "Deadline": octets(Kind.UNARY_UNARY, _deadline),
        "Hang": octets(Kind.UNARY_UNARY, _hang_async if is_async else _hang),
        "WasCancelled": octets(Kind.UNARY_UNARY, _was_cancelled_async if is_async else _was_cancelled),
        "Digest": octets(Kind.STREAM_UNARY, _digest_async if is_async else _digest),
        "Chunks": octets(Kind.UNARY_STREAM, _chunks_async if is_async else _chunks),
        "EchoAll": octets(Kind.STREAM_STREAM, _echo_all_async if is_async else _echo_all),
    }
    return {
        **{SERVICE + name: handler for name, handler in interop.items()},
        **{f"/test.Octets/{name}": handler for name, handler in plain.items()},
    }
