"""The rival on grpc.aio: as grpcio_plugin, with coroutines."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
from grpcio_plugin import (
    HOOKS,
    OPTIONS,
    add_plugin_services,
    announce,
    create_post,
    file_answer,
    list_posts,
    read_list,
)
from mattermost.plugin.v1 import (
    api_pb2_grpc,
    hooks_command_args_pb2,
    hooks_file_info_pb2,
    hooks_pb2_grpc,
    hooks_post_pb2,
    hooks_scalar_pb2,
)
from timing import timed_async

from mattermost_plugin._runtime.wire import EMPTY, SERVING, ConnInfo

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Broker:
    """go-plugin's GRPCBroker as far as a plugin that only dials needs it."""

    def __init__(self) -> None:
        self._known: dict[int, asyncio.Future[ConnInfo]] = {}

    def _future(self, service_id: int) -> asyncio.Future[ConnInfo]:
        return self._known.setdefault(service_id, asyncio.get_running_loop().create_future())

    async def start_stream(
        self, requests: AsyncIterator[bytes], _context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncIterator[bytes]:
        async for request in requests:
            info = ConnInfo.decode(request)
            self._future(info.service_id).set_result(info)
        for nothing in ():
            yield nothing

    async def wait(self, service_id: int) -> ConnInfo:
        return await asyncio.wait_for(self._future(service_id), 10)


class Hooks(hooks_pb2_grpc.HooksServicer):  # type: ignore[misc]  # protoc's output has no types
    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._api: Any = None

    async def Implemented(self, request: Any, context: Any) -> Any:
        return hooks_scalar_pb2.ImplementedResponse(result=HOOKS)

    async def OnActivate(self, request: Any, context: Any) -> Any:
        info = await self._broker.wait(request.api_broker_id)
        self._api = api_pb2_grpc.APIStub(grpc.aio.insecure_channel(f"unix:{info.address}", OPTIONS))
        return hooks_scalar_pb2.OnActivateResponse()

    async def MessageWillBePosted(self, request: Any, context: Any) -> Any:
        post = request.post
        post.message += " (checked)"
        return hooks_post_pb2.MessageWillBePostedResponse(result=post)

    async def ExecuteCommand(self, request: Any, context: Any) -> Any:
        what, *numbers = request.args.command.split()
        callers, duration, size = map(int, numbers)

        async def create() -> None:
            await self._api.CreatePost(create_post(request.args))

        async def read() -> None:
            read_list(await self._api.GetPostsForChannel(list_posts(request.args, size)), size)

        response = hooks_command_args_pb2.ExecuteCommandResponse()
        response.result.text = await timed_async(
            callers, duration, create if what == "/create_posts" else read
        )
        return response

    async def FileWillBeUploaded(self, requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
        info = (await anext(aiter(requests))).head.info
        size = 0
        async for request in requests:
            size += len(request.chunk)
            if info.name == "replace":
                yield hooks_file_info_pb2.FileWillBeUploadedResponse(chunk=request.chunk)
        assert size == info.size
        yield file_answer(info)


async def main() -> None:
    server = grpc.aio.server(options=OPTIONS)
    broker, shutdown = Broker(), asyncio.Event()
    hooks_pb2_grpc.add_HooksServicer_to_server(Hooks(broker), server)

    async def check(_request: bytes, _context: Any) -> bytes:
        return SERVING

    async def stop(_request: bytes, _context: Any) -> bytes:
        shutdown.set()
        return EMPTY

    address = add_plugin_services(server, check=check, stop=stop, start_stream=broker.start_stream)
    await server.start()
    announce(address)
    await shutdown.wait()
    await server.stop(0)


if __name__ == "__main__":
    asyncio.run(main())
