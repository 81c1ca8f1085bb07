"""One face for every client, so that each case is written once: both drivers' channels, and grpcio's."""

from __future__ import annotations

import asyncio
import queue
import threading
from typing import TYPE_CHECKING, Any, Protocol

import grpc
from typing_extensions import Self

from mattermost_plugin._grpc import Options, RpcError, StatusCode, aio, threads

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

__all__ = ["FACES", "Face", "Feed", "StreamFace"]


class Feed:
    """Requests that are given one by one while the call runs."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()

    def send(self, request: bytes) -> None:
        self._queue.put(request)

    def end(self) -> None:
        self._queue.put(None)

    def __iter__(self) -> Iterator[bytes]:
        while (request := self._queue.get()) is not None:
            yield request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (request := await asyncio.to_thread(self._queue.get)) is not None:
            yield request


class StreamFace(Protocol):
    """A call whose responses stream."""

    def __iter__(self) -> Iterator[bytes]: ...
    def __next__(self) -> bytes: ...
    def cancel(self) -> None: ...
    def initial_metadata(self) -> Any: ...
    def trailing_metadata(self) -> Any: ...


class Face(Protocol):
    """A client; requests and responses are octets."""

    def __init__(self, target: str, *, gzip: bool = False) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, *_: object) -> None: ...
    def unary(self, path: str, request: bytes, **options: Any) -> bytes: ...
    def send_all(self, path: str, requests: Any, **options: Any) -> bytes: ...
    def receive_all(self, path: str, request: bytes, **options: Any) -> StreamFace: ...
    def both_ways(self, path: str, requests: Any, **options: Any) -> StreamFace: ...


def _options(*, gzip: bool) -> Options:
    return Options(compression="gzip" if gzip else None)


class ThreadsFace:
    """The threads driver."""

    def __init__(self, target: str, *, gzip: bool = False) -> None:
        self._channel = threads.Channel(target, options=_options(gzip=gzip))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()

    def unary(self, path: str, request: bytes, **options: Any) -> bytes:
        response: bytes = self._channel.unary_unary(path, bytes, bytes)(request, **options)
        return response

    def send_all(self, path: str, requests: Any, **options: Any) -> bytes:
        response: bytes = self._channel.stream_unary(path, bytes, bytes)(requests, **options)
        return response

    def receive_all(self, path: str, request: bytes, **options: Any) -> StreamFace:
        return self._channel.unary_stream(path, bytes, bytes)(request, **options)

    def both_ways(self, path: str, requests: Any, **options: Any) -> StreamFace:
        return self._channel.stream_stream(path, bytes, bytes)(requests, **options)


class AioFace:
    """The asyncio driver, on a loop of its own thread."""

    def __init__(self, target: str, *, gzip: bool = False) -> None:
        self._loop = self._new_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._channel = aio.Channel(target, options=_options(gzip=gzip))

    @staticmethod
    def _new_loop() -> asyncio.AbstractEventLoop:
        return asyncio.new_event_loop()

    def run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(120)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.run(self._channel.close())
        self.run(self._loop.shutdown_asyncgens())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def unary(self, path: str, request: bytes, **options: Any) -> bytes:
        response: bytes = self.run(self._channel.unary_unary(path, bytes, bytes)(request, **options))
        return response

    def send_all(self, path: str, requests: Any, **options: Any) -> bytes:
        response: bytes = self.run(self._channel.stream_unary(path, bytes, bytes)(requests, **options))
        return response

    def receive_all(self, path: str, request: bytes, **options: Any) -> StreamFace:
        return _AioStream(self, self._channel.unary_stream(path, bytes, bytes)(request, **options))

    def both_ways(self, path: str, requests: Any, **options: Any) -> StreamFace:
        return _AioStream(self, self._channel.stream_stream(path, bytes, bytes)(requests, **options))


class _AioStream:
    def __init__(self, face: AioFace, call: Any) -> None:
        self._face = face
        self._call = call

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        async def next_response() -> bytes | None:
            async for response in self._call:
                octets: bytes = response
                return octets
            return None

        response: bytes | None = self._face.run(next_response())
        if response is None:
            raise StopIteration
        return response

    def cancel(self) -> None:
        async def cancel() -> None:
            self._call.cancel()

        self._face.run(cancel())

    def initial_metadata(self) -> Any:
        return self._face.run(self._call.initial_metadata())

    def trailing_metadata(self) -> Any:
        return self._face.run(self._call.trailing_metadata())


class UvloopFace(AioFace):
    """The asyncio driver on uvloop."""

    @staticmethod
    def _new_loop() -> asyncio.AbstractEventLoop:
        import uvloop

        return uvloop.new_event_loop()


class GrpcioFace:
    """grpcio's channel."""

    def __init__(self, target: str, *, gzip: bool = False) -> None:
        self._channel = grpc.insecure_channel(
            target,
            options=[
                ("grpc.max_receive_message_length", -1),
                ("grpc.max_send_message_length", -1),
                ("grpc.use_local_subchannel_pool", 1),
            ],
            compression=grpc.Compression.Gzip if gzip else grpc.Compression.NoCompression,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()

    def unary(self, path: str, request: bytes, **options: Any) -> bytes:
        response: bytes = _translated(lambda: self._channel.unary_unary(path)(request, **options))
        return response

    def send_all(self, path: str, requests: Any, **options: Any) -> bytes:
        response: bytes = _translated(lambda: self._channel.stream_unary(path)(iter(requests), **options))
        return response

    def receive_all(self, path: str, request: bytes, **options: Any) -> StreamFace:
        return _GrpcioStream(self._channel.unary_stream(path)(request, **options))

    def both_ways(self, path: str, requests: Any, **options: Any) -> StreamFace:
        return _GrpcioStream(self._channel.stream_stream(path)(iter(requests), **options))


class _GrpcioStream:
    def __init__(self, call: Any) -> None:
        self._call = call

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        response: bytes = _translated(lambda: next(self._call))
        return response

    def cancel(self) -> None:
        self._call.cancel()

    def initial_metadata(self) -> Any:
        return [tuple(item) for item in self._call.initial_metadata()]

    def trailing_metadata(self) -> Any:
        return [tuple(item) for item in self._call.trailing_metadata()]


def _translated(call: Callable[[], Any]) -> Any:
    """Call, and raise our error for grpcio's."""
    try:
        return call()
    except grpc.RpcError as error:
        trailing = [tuple(item) for item in error.trailing_metadata() or ()]
        details = dict(trailing).get("grpc-status-details-bin", b"")
        initial = [tuple(item) for item in error.initial_metadata() or ()]
        code = StatusCode(error.code().value[0])
        raise RpcError(code, error.details() or "", details, initial, trailing) from error


FACES: dict[str, type[Face]] = {
    "aio": AioFace,
    "uvloop": UvloopFace,
    "threads": ThreadsFace,
    "grpcio": GrpcioFace,
}
