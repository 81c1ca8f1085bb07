"""What handlers know of their call, and how their failures become statuses."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, NoReturn

from mattermost_plugin._grpc.status import Metadata, RpcError, Status, StatusCode
from mattermost_plugin._logger import get_logger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mattermost_plugin._grpc.handlers import Handler
    from mattermost_plugin._grpc.metadata import MetadataItems
    from mattermost_plugin._grpc.server import ServerConnection
    from mattermost_plugin._grpc.streams import Stream

__all__ = ["DEADLINE_EXCEEDED", "BaseServerCall", "ready_call", "status_of_failure"]

logger: Final = get_logger("mattermost_plugin.grpc")

DEADLINE_EXCEEDED: Final = Status(StatusCode.DEADLINE_EXCEEDED, "the deadline has passed")
_FAILED: Final = Status(StatusCode.INTERNAL, "the handler failed; its log says why")
_UNARY: Final = Status(StatusCode.UNIMPLEMENTED, "the method takes exactly one request message")


def ready_call(
    core: ServerConnection, stream: Stream, handlers: Mapping[str, Handler]
) -> tuple[Handler, bytes | None] | None:
    """Return how to run the call of a stream with news that has no owner yet.

    Args:
        core: the connection; a call that cannot be run is answered there.
        stream: the stream.
        handlers: by path.

    Returns:
        The handler, and the request if it is a single one; None: there is nothing to run, or not yet.
    """
    request = stream.request
    if stream.answered or request is None:
        return None
    handler = handlers.get(request.path)
    if handler is None:
        core.finish(stream, Status(StatusCode.UNIMPLEMENTED, f"there is no method {request.path}"))
        return None
    if handler.kind.request_streams:
        return handler, None
    if not stream.remote_closed:
        return None
    if len(stream.messages) != 1:
        core.finish(stream, _UNARY)
        return None
    return handler, core.take(stream)


class BaseServerCall:
    """One call as its handler sees it.

    Attributes:
        deadline: when the client gives up, by `time.monotonic()`; None if it waits for ever.
    """

    __slots__ = ("_connection", "_handler", "_peer", "_stream", "_trailing", "deadline")

    def __init__(self, connection: ServerConnection, stream: Stream, handler: Handler, peer: str) -> None:
        self._connection = connection
        self._stream = stream
        self._handler = handler
        self._peer = peer
        self._trailing: Metadata = ()
        self.deadline = None if stream.timeout is None else time.monotonic() + stream.timeout

    @property
    def method(self) -> str:
        """The method's path, "/package.Service/Method"."""
        return "" if self._stream.request is None else self._stream.request.path

    @property
    def metadata(self) -> MetadataItems:
        """The metadata that the client sent."""
        return () if self._stream.request is None else self._stream.request.metadata

    @property
    def peer(self) -> str:
        """The address of the client."""
        return self._peer

    @property
    def cancelled(self) -> bool:
        """Whether the client no longer waits: it cancelled, is gone, or the deadline has passed."""
        return self._stream.local_closed or (self.deadline is not None and time.monotonic() >= self.deadline)

    def is_active(self) -> bool:
        """Return whether the client still waits for the answer."""
        return not self.cancelled

    def time_remaining(self) -> float | None:
        """Return seconds until the deadline, None if there is none."""
        return None if self.deadline is None else max(0.0, self.deadline - time.monotonic())

    def set_trailing_metadata(self, metadata: Metadata) -> None:
        """Set the metadata to be sent with the status."""
        self._trailing = tuple(metadata)

    def abort(self, code: StatusCode, message: str = "", details: bytes = b"") -> NoReturn:
        """End the call with a status other than OK.

        Args:
            code: the status code.
            message: text for the caller.
            details: a serialized `google.rpc.Status`, or nothing.

        Raises:
            RpcError: always; what leaves the handler becomes the call's status.
        """
        raise RpcError(code, message, details)

    def _let_go(self) -> None:
        """Part from the stream once the answer is given.

        Each refers to the other: without this, every call would be left to Python's search for cycles, which
        then takes a tenth of a busy process's time, and the processor's caches would see no memory twice.
        """
        self._stream.owner = None

    def _status(self, error: RpcError | None = None) -> Status:
        """Return the status to end the call with."""
        trailing = tuple(self._trailing)
        if error is None:
            return Status(StatusCode.OK, "", b"", trailing)
        return Status(error.code, error.message, error.details, trailing + tuple(error.trailing_metadata))


def status_of_failure(call: BaseServerCall, error: BaseException) -> Status:
    """Return the status for what left a handler; anything but an `RpcError` goes to the log only."""
    if isinstance(error, RpcError):
        return call._status(error)
    logger.error("The handler of %s failed", call.method, exc_info=error)
    return _FAILED
