"""Runs hooks that read a file and write another, on threads."""

from __future__ import annotations

import asyncio
import io
from types import CoroutineType
from typing import TYPE_CHECKING, Any, cast

from mattermost_plugin._codec.parts import chunk_of, pack_chunk
from mattermost_plugin._forks import Boundary
from mattermost_plugin._grpc import RpcError, StatusCode
from mattermost_plugin._runtime.checks import is_coroutine_function
from mattermost_plugin._runtime.outcomes import encode_failure, encode_result, failed_call, logger
from mattermost_plugin._runtime.pieces import PIECE, PieceWriter, file_to_read
from mattermost_plugin.errors import CallFailed
from mattermost_plugin.reject import Reject

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
    from typing import BinaryIO

    from mattermost_plugin._codec.methods import Method
    from mattermost_plugin._grpc.threads import ServerCall

__all__ = ["OutputFile", "file_handler", "no_longer_wanted", "responded"]


def file_handler(
    hook: Callable[..., Any],
    method: Method,
    await_: Callable[[Coroutine[Any, Any, Any], ServerCall], Any],
) -> Callable[[Iterator[bytes], ServerCall], list[bytes]]:
    """Return what serves such a hook: the head and the file come in, the new file and the result go out.

    Args:
        hook: The author's method.
        method: Its entry.
        await_: Runs a coroutine on the event loop of `async def` hooks.
    """
    asynchronous = is_coroutine_function(hook)
    boundary = Boundary()

    def handle(requests: Iterator[bytes], call: ServerCall) -> list[bytes]:
        try:
            arguments = method.codec.decode_request(next(requests))
        except Exception:  # noqa: BLE001 - a message that is none; the log says why
            logger.exception("The arguments of hook %s could not be read", method.name)
            raise failed_call(method) from None
        files = _Files(requests, call, method)
        try:
            if asynchronous:
                response = await_(_run_async(hook, arguments, files, method), call)
            else:
                response = _run(hook, arguments, files, method, lambda result: await_(result, call), boundary)
        except (Exception, SystemExit) as error:
            if call.cancelled:
                raise no_longer_wanted(method, error) from None
            if isinstance(error, RpcError):  # a wrong result, which is logged, or the deadline
                raise
            return [encode_failure(method, error)]
        return [response]

    return handle


def no_longer_wanted(method: Method, error: BaseException) -> RpcError:
    """Return the status of a hook that ended because its host stopped waiting for it."""
    logger.warning(
        "Hook %s ended early (%s): the host no longer waits for it",
        method.name,
        str(error) or type(error).__name__,
    )
    return RpcError(StatusCode.CANCELLED, "the call was cancelled")


def responded(method: Method, result: Any, flush: Callable[[], Any]) -> bytes:
    """Return the last message for what a hook returned, once what it wrote is on its way."""
    response = encode_result(method, result)
    if type(result) is not Reject:
        flush()
    return response


class OutputFile:
    """The file a hook writes to; it is given up with what was not sent when the hook has failed."""

    def __init__(self, send: Callable[[bytes | memoryview], None]) -> None:
        self._raw = PieceWriter(send)
        self._buffered = io.BufferedWriter(self._raw, PIECE)

    @property
    def file(self) -> BinaryIO:
        return cast("BinaryIO", self._buffered)

    def flush(self) -> None:
        if not self._buffered.closed:
            self._buffered.flush()

    def give_up(self) -> None:
        # With its raw file closed, the buffered one does not try to flush when it is collected.
        self._raw.close()


class _Files:
    """The two streams of a call, to be read and written on any thread."""

    def __init__(self, requests: Iterator[bytes], call: ServerCall, method: Method) -> None:
        self._requests = requests
        self._call = call
        self._method = method

    def pieces(self) -> Iterator[memoryview]:
        try:
            for message in self._requests:
                piece = chunk_of(message)
                if piece is not None:
                    yield piece
        except RpcError as error:
            raise self._failed(error) from None

    def send(self, piece: bytes | memoryview) -> None:
        try:
            self._call.send(pack_chunk(piece))
        except RpcError as error:
            raise self._failed(error) from None

    def _failed(self, error: RpcError) -> CallFailed:
        name = self._method.go_name
        return CallFailed(
            f"the server no longer waits for {name}: {error.message}",
            method=name,
            status=StatusCode(error.code).name,
        )


def _run(
    hook: Callable[..., Any],
    arguments: tuple[Any, ...],
    files: _Files,
    method: Method,
    await_: Callable[[Any], Any],
    boundary: Boundary,
) -> bytes:
    file, output = file_to_read(files.pieces()), OutputFile(files.send)
    try:
        with boundary:
            result = hook(*arguments, file, output.file)
        if type(result) is CoroutineType:
            result = await_(result)
        return responded(method, result, output.flush)
    finally:
        file.close()
        output.give_up()


async def _run_async(
    hook: Callable[..., Any], arguments: tuple[Any, ...], files: _Files, method: Method
) -> bytes:
    """Run an `async def` hook; what waits for the host does so on other threads than the loop's."""
    from mattermost_plugin.files import AsyncReader, AsyncWriter

    found = files.pieces()

    async def pieces() -> AsyncIterator[memoryview]:
        while (piece := await asyncio.to_thread(next, found, None)) is not None:
            yield piece

    async def send(piece: bytes | memoryview) -> None:
        await asyncio.to_thread(files.send, piece)

    async with AsyncReader(pieces()) as file:
        output = AsyncWriter(send)
        result = await hook(*arguments, file, output)
        response = encode_result(method, result)
        if type(result) is not Reject:
            await output.aclose()
        return response
