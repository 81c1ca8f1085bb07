"""Runs hooks that read a file and write another, on asyncio."""

from __future__ import annotations

import asyncio
import concurrent.futures
from typing import TYPE_CHECKING, Any

from mattermost_plugin._codec.parts import chunk_of, pack_chunk
from mattermost_plugin._forks import Boundary
from mattermost_plugin._grpc import RpcError
from mattermost_plugin._runtime.checks import is_coroutine_function
from mattermost_plugin._runtime.file_hooks import OutputFile, no_longer_wanted, responded
from mattermost_plugin._runtime.outcomes import encode_failure, encode_result, failed_call, logger
from mattermost_plugin._runtime.pieces import file_to_read
from mattermost_plugin._runtime.unawaited import plainly
from mattermost_plugin.errors import CallFailed
from mattermost_plugin.files import AsyncReader, AsyncWriter
from mattermost_plugin.reject import Reject

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator

    from mattermost_plugin._codec.methods import Method
    from mattermost_plugin._grpc.aio import ServerCall

__all__ = ["file_handler"]


def file_handler(
    hook: Callable[..., Any], method: Method
) -> Callable[[AsyncIterator[bytes], ServerCall], Awaitable[list[bytes]]]:
    """Return what serves such a hook: the head and the file come in, the new file and the result go out."""
    run = _run_async if is_coroutine_function(hook) else _run_in_thread
    boundary = Boundary()

    async def handle(requests: AsyncIterator[bytes], call: ServerCall) -> list[bytes]:
        try:
            arguments = method.codec.decode_request(await requests.__anext__())
        except Exception:  # noqa: BLE001 - a message that is none; the log says why
            logger.exception("The arguments of hook %s could not be read", method.name)
            raise failed_call(method) from None
        try:
            return [await run(hook, arguments, _pieces(requests), _sender(call), method, boundary)]
        except asyncio.CancelledError as error:
            no_longer_wanted(method, error)
            raise
        except (Exception, SystemExit) as error:
            if call.cancelled:
                raise no_longer_wanted(method, error) from None
            if isinstance(error, RpcError):  # a wrong result, which is logged
                raise
            return [encode_failure(method, error)]

    return handle


async def _pieces(requests: AsyncIterator[bytes]) -> AsyncIterator[memoryview]:
    async for message in requests:
        piece = chunk_of(message)
        if piece is not None:
            yield piece


def _sender(call: ServerCall) -> Callable[[bytes | memoryview], Coroutine[Any, Any, None]]:
    async def send(piece: bytes | memoryview) -> None:
        await call.send(pack_chunk(piece))

    return send


async def _run_async(
    hook: Callable[..., Any],
    arguments: tuple[Any, ...],
    pieces: AsyncIterator[memoryview],
    send: Callable[[bytes | memoryview], Coroutine[Any, Any, None]],
    method: Method,
    boundary: Boundary,
) -> bytes:
    async with AsyncReader(pieces) as file:
        output = AsyncWriter(send)
        with boundary:
            result = await hook(*arguments, file, output)
        response = encode_result(method, result)
        if type(result) is not Reject:
            await output.aclose()
        return response


async def _run_in_thread(
    hook: Callable[..., Any],
    arguments: tuple[Any, ...],
    pieces: AsyncIterator[memoryview],
    send: Callable[[bytes | memoryview], Coroutine[Any, Any, None]],
    method: Method,
    boundary: Boundary,
) -> bytes:
    loop = asyncio.get_running_loop()

    async def next_piece() -> memoryview | None:
        async for piece in pieces:
            return piece
        return None

    def blocking_pieces() -> Iterator[memoryview]:
        while (piece := _wait_for(next_piece(), loop, method)) is not None:
            yield piece

    def run() -> bytes:
        file = file_to_read(blocking_pieces())
        output = OutputFile(lambda piece: _wait_for(send(piece), loop, method))
        try:
            with boundary:
                result = plainly(hook, *arguments, file, output.file)
            return responded(method, result, output.flush)
        finally:
            file.close()
            output.give_up()

    return await asyncio.to_thread(run)


def _wait_for(coroutine: Coroutine[Any, Any, Any], loop: asyncio.AbstractEventLoop, method: Method) -> Any:
    """Run a coroutine of the call on its loop, from the hook's thread."""
    try:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result()
    except concurrent.futures.CancelledError:
        raise CallFailed(
            f"the server no longer waits for {method.go_name}", method=method.go_name, status="CANCELLED"
        ) from None
