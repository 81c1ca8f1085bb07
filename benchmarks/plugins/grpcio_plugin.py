"""The rival on grpcio: the same contract and behaviour, on protobuf messages, with grpc's own server.

It is what a plugin would be that uses protoc's Python output and grpcio as they come. The modules
`mattermost.plugin.v1.*_pb2` are compiled from schema/proto for the run.
"""

from __future__ import annotations

import os
import queue
import sys
import tempfile
import threading
import time
from concurrent import futures
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
from mattermost.plugin.v1 import (
    api_pb2_grpc,
    api_post_pb2,
    hooks_command_args_pb2,
    hooks_pb2_grpc,
    hooks_post_pb2,
    hooks_scalar_pb2,
    post_pb2,
)

from mattermost_plugin._runtime.wire import EMPTY, SERVING, ConnInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

MESSAGE = "A message of ordinary length, created by a plugin."


class Broker:
    """go-plugin's GRPCBroker as far as a plugin that only dials needs it."""

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._known: dict[int, ConnInfo] = {}

    def start_stream(self, requests: Iterator[bytes], _context: grpc.ServicerContext) -> Iterator[bytes]:
        def read() -> None:
            for request in requests:
                info = ConnInfo.decode(request)
                with self._lock:
                    self._known[info.service_id] = info
                    self._lock.notify_all()

        threading.Thread(target=read, daemon=True).start()
        while True:  # nothing is sent; the stream stays open until the process ends
            time.sleep(3600)
            yield EMPTY

    def wait(self, service_id: int) -> ConnInfo:
        with self._lock:
            self._lock.wait_for(lambda: service_id in self._known, timeout=10)
            return self._known[service_id]


class Hooks(hooks_pb2_grpc.HooksServicer):  # type: ignore[misc]  # protoc's output has no types
    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._api: Any = None

    def Implemented(self, request: Any, context: grpc.ServicerContext) -> Any:
        return hooks_scalar_pb2.ImplementedResponse(
            result=["OnActivate", "MessageWillBePosted", "ExecuteCommand"]
        )

    def OnActivate(self, request: Any, context: grpc.ServicerContext) -> Any:
        info = self._broker.wait(request.api_broker_id)
        self._api = api_pb2_grpc.APIStub(grpc.insecure_channel(f"unix:{info.address}"))
        return hooks_scalar_pb2.OnActivateResponse()

    def MessageWillBePosted(self, request: Any, context: grpc.ServicerContext) -> Any:
        post = request.post
        post.message += " (checked)"
        return hooks_post_pb2.MessageWillBePostedResponse(result=post)

    def ExecuteCommand(self, request: Any, context: grpc.ServicerContext) -> Any:
        callers, calls = (int(word) for word in request.args.command.split()[1:])

        def create() -> None:
            for _ in range(calls // callers):
                self._api.CreatePost(
                    api_post_pb2.CreatePostRequest(
                        post=post_pb2.Post(
                            user_id=request.args.user_id, channel_id=request.args.channel_id, message=MESSAGE
                        )
                    )
                )

        start = time.perf_counter_ns()
        threads = [threading.Thread(target=create) for _ in range(callers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        response = hooks_command_args_pb2.ExecuteCommandResponse()
        response.result.text = str(time.perf_counter_ns() - start)
        return response


def raw(behaviour: Any) -> grpc.RpcMethodHandler:
    return grpc.unary_unary_rpc_method_handler(behaviour)


def main() -> None:
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=64))
    broker, shutdown = Broker(), queue.SimpleQueue[None]()
    hooks_pb2_grpc.add_HooksServicer_to_server(Hooks(broker), server)

    def stop(_request: bytes, _context: grpc.ServicerContext) -> bytes:
        shutdown.put(None)
        return EMPTY

    services = {
        "grpc.health.v1.Health": {"Check": raw(lambda _request, _context: SERVING)},
        "plugin.GRPCController": {"Shutdown": raw(stop)},
        "plugin.GRPCBroker": {"StartStream": grpc.stream_stream_rpc_method_handler(broker.start_stream)},
    }
    for name, methods in services.items():
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, methods),))
    directory = os.environ.get("PLUGIN_UNIX_SOCKET_DIR") or tempfile.mkdtemp()
    address = Path(directory) / f"grpcio-{os.getpid()}"
    server.add_insecure_port(f"unix:{address}")
    server.start()
    sys.stdout.write(f"1|1|unix|{address}|grpc|\n")
    sys.stdout.flush()
    shutdown.get()
    server.stop(0).wait()


if __name__ == "__main__":
    main()
