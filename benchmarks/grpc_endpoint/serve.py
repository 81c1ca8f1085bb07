"""A server under load as a process: `serve.py aio|aio-plain|uvloop|threads|grpcio|grpcio-aio PATH`."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from mattermost_plugin._grpc import Handler, Kind

METHOD = "/bench.Echo/Call"


def echo(request: bytes, _call: Any) -> bytes:
    return request


async def echo_async(request: bytes, _call: Any) -> bytes:
    return request


def handlers(function: Any) -> dict[str, Handler]:
    return {METHOD: Handler(Kind.UNARY_UNARY, function, bytes, bytes)}


def ready() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()


async def serve_aio(path: str, function: Any) -> None:
    from mattermost_plugin._grpc.aio import Server

    server = Server(handlers(function))
    server.listen_unix(path)
    await server.start()
    ready()
    await asyncio.to_thread(sys.stdin.read)
    await server.stop()


def serve_threads(path: str) -> None:
    from mattermost_plugin._grpc.threads import Server

    server = Server(handlers(echo))
    server.listen_unix(path)
    server.start()
    ready()
    sys.stdin.read()
    server.stop()


def serve_grpcio(path: str) -> None:
    from concurrent.futures import ThreadPoolExecutor

    import grpc

    handler = grpc.method_handlers_generic_handler(
        "bench.Echo", {"Call": grpc.unary_unary_rpc_method_handler(echo)}
    )
    server = grpc.server(ThreadPoolExecutor(max_workers=64))
    server.add_generic_rpc_handlers((handler,))
    server.add_insecure_port(f"unix:{path}")
    server.start()
    ready()
    sys.stdin.read()
    server.stop(None)


async def serve_grpcio_aio(path: str) -> None:
    import grpc

    handler = grpc.method_handlers_generic_handler(
        "bench.Echo", {"Call": grpc.unary_unary_rpc_method_handler(echo_async)}
    )
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((handler,))
    server.add_insecure_port(f"unix:{path}")
    await server.start()
    ready()
    await asyncio.to_thread(sys.stdin.read)
    await server.stop(None)


def main() -> None:
    kind, path = sys.argv[1:3]
    if kind == "threads":
        serve_threads(path)
    elif kind == "grpcio":
        serve_grpcio(path)
    elif kind == "grpcio-aio":
        asyncio.run(serve_grpcio_aio(path))
    elif kind == "uvloop":
        import uvloop

        uvloop.run(serve_aio(path, echo_async))
    else:
        asyncio.run(serve_aio(path, echo if kind == "aio-plain" else echo_async))


if __name__ == "__main__":
    main()
