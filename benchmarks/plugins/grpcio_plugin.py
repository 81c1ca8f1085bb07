"""The rival on grpcio, in threads: the same contract, on protobuf messages, with grpc's own server.

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
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
from mattermost.plugin.v1 import (
    api_pb2_grpc,
    api_post_list_pb2,
    api_post_pb2,
    hooks_command_args_pb2,
    hooks_file_info_pb2,
    hooks_pb2_grpc,
    hooks_post_pb2,
    hooks_scalar_pb2,
    post_pb2,
)
from timing import MESSAGE, timed

from mattermost_plugin._runtime.wire import EMPTY, SERVING, ConnInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

# grpcio refuses messages of more than 4 MiB by default.
OPTIONS = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
HOOKS = ["OnActivate", "MessageWillBePosted", "ExecuteCommand", "FileWillBeUploaded"]


class Broker:
    """go-plugin's GRPCBroker as far as a plugin that only dials needs it."""

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._known: dict[int, ConnInfo] = {}

    def start_stream(self, requests: Iterator[bytes], _context: grpc.ServicerContext) -> Iterator[bytes]:
        def read() -> None:
            with suppress(grpc.RpcError):  # the end of the host
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
        return hooks_scalar_pb2.ImplementedResponse(result=HOOKS)

    def OnActivate(self, request: Any, context: grpc.ServicerContext) -> Any:
        info = self._broker.wait(request.api_broker_id)
        self._api = api_pb2_grpc.APIStub(grpc.insecure_channel(f"unix:{info.address}", OPTIONS))
        return hooks_scalar_pb2.OnActivateResponse()

    def MessageWillBePosted(self, request: Any, context: grpc.ServicerContext) -> Any:
        post = request.post
        post.message += " (checked)"
        return hooks_post_pb2.MessageWillBePostedResponse(result=post)

    def ExecuteCommand(self, request: Any, context: grpc.ServicerContext) -> Any:
        what, *numbers = request.args.command.split()
        callers, duration, size = map(int, numbers)

        def create() -> None:
            self._api.CreatePost(create_post(request.args))

        def read() -> None:
            read_list(self._api.GetPostsForChannel(list_posts(request.args, size)), size)

        response = hooks_command_args_pb2.ExecuteCommandResponse()
        response.result.text = timed(callers, duration, create if what == "/create_posts" else read)
        return response

    def FileWillBeUploaded(self, requests: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
        info = next(requests).head.info
        size = 0
        for request in requests:
            size += len(request.chunk)
            if info.name == "replace":
                yield hooks_file_info_pb2.FileWillBeUploadedResponse(chunk=request.chunk)
        assert size == info.size
        yield file_answer(info)


def create_post(args: Any) -> Any:
    post = post_pb2.Post(user_id=args.user_id, channel_id=args.channel_id, message=MESSAGE)
    return api_post_pb2.CreatePostRequest(post=post)


def list_posts(args: Any, size: int) -> Any:
    return api_post_list_pb2.GetPostsForChannelRequest(channel_id=args.channel_id, per_page=size)


def read_list(reply: Any, size: int) -> None:
    assert len(reply.result.order) == size
    assert all(post.message for post in reply.result.posts.values())


def file_answer(info: Any) -> Any:
    answer = hooks_file_info_pb2.FileWillBeUploadedResponse()
    answer.head.SetInParent()
    if info.name == "replace":
        answer.head.result.CopyFrom(info)
    return answer


def add_plugin_services(server: Any, *, check: Any, stop: Any, start_stream: Any) -> str:
    """Add what go-plugin expects of every plugin, and return the address of the socket to serve."""
    unary = grpc.unary_unary_rpc_method_handler
    services = {
        "grpc.health.v1.Health": {"Check": unary(check)},
        "plugin.GRPCController": {"Shutdown": unary(stop)},
        "plugin.GRPCBroker": {"StartStream": grpc.stream_stream_rpc_method_handler(start_stream)},
    }
    for name, methods in services.items():
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, methods),))
    address = socket_address()
    server.add_insecure_port(f"unix:{address}")
    return address


def main() -> None:
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=64), options=OPTIONS)
    broker, shutdown = Broker(), queue.SimpleQueue[None]()
    hooks_pb2_grpc.add_HooksServicer_to_server(Hooks(broker), server)

    def stop(_request: bytes, _context: grpc.ServicerContext) -> bytes:
        shutdown.put(None)
        return EMPTY

    def check(_request: bytes, _context: grpc.ServicerContext) -> bytes:
        return SERVING

    address = add_plugin_services(server, check=check, stop=stop, start_stream=broker.start_stream)
    server.start()
    announce(address)
    shutdown.get()
    server.stop(0).wait()


def socket_address() -> Path:
    directory = os.environ.get("PLUGIN_UNIX_SOCKET_DIR") or tempfile.mkdtemp()
    return Path(directory) / f"grpcio-{os.getpid()}"


def announce(address: Path) -> None:
    sys.stdout.write(f"1|1|unix|{address}|grpc|\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
