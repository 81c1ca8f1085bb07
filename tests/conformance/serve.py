"""A server under test as a process: `python -m tests.conformance.serve DRIVER TARGET [OPTIONS]`.

DRIVER is aio, uvloop or threads; TARGET is unix:PATH or HOST:PORT; OPTIONS are `Options` as JSON. Prints its
address and serves until its standard input ends.
"""

from __future__ import annotations

import asyncio
import json
import sys

from mattermost_plugin._grpc import Options
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


def main() -> None:
    """Serve."""
    driver, target = sys.argv[1:3]
    options = Options(**json.loads(sys.argv[3])) if sys.argv[3:] else Options()
    if driver == "threads":
        _serve_threads(target, options)
    elif driver == "uvloop":
        import uvloop

        uvloop.run(_serve_aio(target, options))
    else:
        asyncio.run(_serve_aio(target, options))


if __name__ == "__main__":
    main()
