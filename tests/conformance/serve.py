"""A server under test as a process: `python -m tests.conformance.serve DRIVER TARGET [OPTIONS]`.

DRIVER is aio, uvloop, threads, or grpcio for comparison; TARGET is unix:PATH or HOST:PORT; OPTIONS are
`Options` as JSON. Prints its address and serves until its standard input ends.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from mattermost_plugin._grpc import Options, StatusCode
from tests.conformance.service import handlers


def _listen(server: object, target: str) -> str:
    if target.startswith("unix:"):
        return "unix:" + server.listen_unix(target[5:])  # type: ignore[attr-defined,no-any-return]  # either driver's
    host, _, port = target.rpartition(":")
    address = server.listen_tcp(host, int(port))  # type: ignore[attr-defined]  # either driver's
    return f"{address[0]}:{address[1]}"


async def _serve_aio(target: str, options: Options) -> None:
    from mattermost_plugin._grpc.aio import Server

    server = Server(handlers("aio"), options=options)
    address = _listen(server, target)
    await server.start()
    sys.stdout.write(address + "\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    await server.stop(0.1)


def _serve_threads(target: str, options: Options) -> None:
    from mattermost_plugin._grpc.threads import Server

    server = Server(handlers("threads"), options=options)
    address = _listen(server, target)
    server.start()
    sys.stdout.write(address + "\n")
    sys.stdout.flush()
    sys.stdin.read()
    server.stop(0.1)


class _GrpcioCall:
    """A call of grpcio's server, as handlers know it."""

    def __init__(self, context: Any) -> None:
        self._context = context

    @property
    def metadata(self) -> list[tuple[str, str | bytes]]:
        return [(key, value) for key, value in self._context.invocation_metadata()]

    @property
    def cancelled(self) -> bool:
        return not self._context.is_active()

    def time_remaining(self) -> float | None:
        remaining: float | None = self._context.time_remaining()
        # grpcio's for a call without a deadline is some centuries.
        return remaining if remaining is not None and remaining < 1e9 else None

    def send_initial_metadata(self, metadata: Any) -> None:
        self._context.send_initial_metadata(tuple(metadata))

    def set_trailing_metadata(self, metadata: Any) -> None:
        self._context.set_trailing_metadata(tuple(metadata))

    def abort(self, code: StatusCode, message: str = "", details: bytes = b"") -> None:
        import grpc

        if details:
            trailing = (*self._context.trailing_metadata(), ("grpc-status-details-bin", details))
            self._context.set_trailing_metadata(trailing)
        codes = {code.value[0]: code for code in grpc.StatusCode}
        self._context.abort(codes[code.value], message)


def _serve_grpcio(target: str) -> None:
    from concurrent.futures import ThreadPoolExecutor

    import grpc

    class Handlers(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpcio has no types
        def service(self, details: Any) -> Any:
            handler = table.get(details.method)
            if handler is None:
                return None
            make = getattr(grpc, handler.kind.value.replace("-", "_") + "_rpc_method_handler")
            return make(
                lambda request, context: handler.function(request, _GrpcioCall(context)),
                request_deserializer=handler.deserialize,
                response_serializer=handler.serialize,
            )

    table = handlers("threads")
    sizes = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    server = grpc.server(ThreadPoolExecutor(max_workers=32), options=sizes)
    server.add_generic_rpc_handlers((Handlers(),))
    server.add_insecure_port(target)
    server.start()
    sys.stdout.write(target + "\n")
    sys.stdout.flush()
    sys.stdin.read()
    server.stop(None)


def main() -> None:
    """Serve."""
    driver, target = sys.argv[1:3]
    options = Options(**json.loads(sys.argv[3])) if sys.argv[3:] else Options()
    if driver == "threads":
        _serve_threads(target, options)
    elif driver == "grpcio":
        _serve_grpcio(target)
    elif driver == "uvloop":
        import uvloop

        uvloop.run(_serve_aio(target, options))
    else:
        asyncio.run(_serve_aio(target, options))


if __name__ == "__main__":
    main()
