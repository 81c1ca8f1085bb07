"""A host made of grpcio that moves files: it calls the file hook and serves the API's streaming methods."""

from __future__ import annotations

import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import grpc

from mattermost_plugin import Context, FileInfo
from mattermost_plugin._codec.parts import chunk_of, pack_chunk
from mattermost_plugin._gen.api_methods import API
from mattermost_plugin._gen.hook_methods import HOOKS
from mattermost_plugin._runtime.wire import ConnInfo
from tests.unit.runtime.host import API_BROKER_ID, Host

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

HOOK = HOOKS["file_will_be_uploaded"]


class FileHost(Host):
    """`api` maps names to functions: (arguments, iterator of pieces) -> (result or exception, pieces)."""

    def upload(
        self, pieces: Iterable[bytes], info: FileInfo | None = None, timeout: float = 30
    ) -> tuple[Any, bytes]:
        """Let the plugin see a file; return its result and what it wrote."""
        return collect(self.begin_upload(pieces, info, timeout))

    def begin_upload(self, pieces: Iterable[bytes], info: FileInfo | None = None, timeout: float = 30) -> Any:
        """Begin the call and return it, an iterator of messages."""

        def requests() -> Iterator[bytes]:
            yield HOOK.codec.encode_request(Context(), info or FileInfo(name="file"))
            for piece in pieces:
                yield pack_chunk(piece)

        return self.channel.stream_stream(HOOK.path)(requests(), timeout=timeout)

    def serve_api(self, server_credentials: Any = None) -> None:
        path = self.directory / "api.sock"
        self._api_server = grpc.server(ThreadPoolExecutor(8))
        self._api_server.add_generic_rpc_handlers((FileMethods(self._api),))
        self._api_server.add_insecure_port(f"unix:{path}")
        self._api_server.start()
        self._announcements.put(ConnInfo(API_BROKER_ID, "unix", str(path), knock=False).encode())


def collect(messages: Iterable[bytes]) -> tuple[Any, bytes]:
    """Return result and content of a hook's response."""
    content, head = [], None
    for message in messages:
        piece = chunk_of(message)
        if piece is None:
            head = message
        else:
            content.append(piece)
    assert head is not None
    return HOOK.codec.decode_response(head), b"".join(content)


class Pieces:
    """What a caller uploads.

    Attributes:
        call_ended: set once the call has ended. grpcio sometimes ends the iterator of a call that was
            cancelled as if the request were complete, and only this tells.
    """

    def __init__(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> None:
        self._requests = requests
        self.call_ended = threading.Event()
        context.add_callback(self.call_ended.set)

    def __iter__(self) -> Iterator[bytes]:
        return (bytes(chunk_of(message) or b"") for message in self._requests)


class FileMethods(grpc.GenericRpcHandler):
    def __init__(self, functions: dict[str, Callable[..., Any]]) -> None:
        self._functions = functions
        self._names = {method.path: name for name, method in API.items()}

    def service(self, details: Any) -> Any:
        name = self._names.get(details.method)
        if name not in self._functions:
            return None
        method, function = API[name], self._functions[name]

        def upload(requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
            arguments = method.codec.decode_request(next(requests))
            try:
                return method.codec.encode_response(function(Pieces(requests, context), *arguments))
            except Exception as error:  # noqa: BLE001 - what a test raises is what the plugin gets
                return method.codec.encode_error(error)

        def download(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
            try:
                pieces = function(*method.codec.decode_request(request))
            except Exception as error:  # noqa: BLE001 - as above
                yield method.codec.encode_error(error)
                return
            yield method.codec.encode_response(None)
            for piece in pieces:
                yield pack_chunk(piece)

        if method.kind == "stream_unary":
            return grpc.stream_unary_rpc_method_handler(upload)
        return grpc.unary_stream_rpc_method_handler(download)


class Endless:
    """Pieces without end, which knows how many were taken and whether the taker has gone."""

    def __init__(self, piece: bytes = bytes(256 * 1024), limit: int = 4000) -> None:
        self._piece = piece
        self._limit = limit
        self.taken = 0
        self.closed: queue.SimpleQueue[bool] = queue.SimpleQueue()

    def __iter__(self) -> Iterator[bytes]:
        try:
            while self.taken < self._limit:
                self.taken += 1
                yield self._piece
        finally:
            self.closed.put(True)
