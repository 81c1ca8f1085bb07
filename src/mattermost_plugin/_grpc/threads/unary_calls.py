"""Blocking calls of one request and one response."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from mattermost_plugin._grpc.client_calls import call_headers, single_response
from mattermost_plugin._grpc.patience import Patience
from mattermost_plugin._grpc.threads.turns import this_caller

if TYPE_CHECKING:
    from collections.abc import Callable

    from mattermost_plugin._grpc.header_encoder import RequestTemplate
    from mattermost_plugin._grpc.status import Metadata
    from mattermost_plugin._grpc.streams import Stream
    from mattermost_plugin._grpc.threads.callers import Caller
    from mattermost_plugin._grpc.threads.channel import Channel
    from mattermost_plugin._grpc.threads.shared_connection import SharedConnection

__all__ = ["LARGE", "UnaryMethod"]

#: Octets from which on a request has a connection for itself, so that none waits for it.
LARGE: Final = 16 << 10


class UnaryMethod:
    """Calls a method of one request and one response."""

    def __init__(
        self,
        channel: Channel,
        path: str,
        serialize: Callable[[Any], bytes],
        deserialize: Callable[[bytes], Any],
    ) -> None:
        self._channel = channel
        self._template = channel.template(path)
        self._serialize = serialize
        self._deserialize = deserialize
        self._patience = Patience()

    def __call__(self, request: Any, *, timeout: float | None = None, metadata: Metadata = ()) -> Any:
        """Call the method.

        Args:
            request: the request.
            timeout: seconds; None: the call has no deadline.
            metadata: custom metadata.

        Raises:
            RpcError: the call ended with a status other than OK.
        """
        return self.call(request, timeout, metadata)

    def call(self, request: Any, timeout: float | None, metadata: Metadata = ()) -> Any:
        """Do the same; what calls often gets here in fewer steps."""
        message: bytes = self._serialize(request)
        deadline: float | None = None
        template, extra = self._template, b""
        if timeout is not None or metadata:
            deadline = None if timeout is None else time.monotonic() + timeout
            template, extra = call_headers(template, timeout, metadata)
        channel = self._channel
        caller = this_caller()
        stream: Stream | None = None
        shared: SharedConnection | None = channel.common
        # As `channel.shared` decides, in compiled code for when many call.
        if shared is None or len(message) >= LARGE or not shared.in_use or not shared.usable:
            shared = channel.shared(len(message), deadline)
        if shared is not None and not caller.calling:
            stream = shared.call(caller, template, extra, message, deadline)
        if stream is None:
            stream = self._call_alone(caller, template, extra, message, deadline)
        if stream.refused:
            # Other connections may be as old as the one that was found broken.
            channel.drop_idle()
            stream = self._call_alone(caller, template, extra, message, deadline)
        return self._deserialize(single_response(stream, deadline))

    def _call_alone(
        self, caller: Caller, template: RequestTemplate, extra: bytes, message: bytes, deadline: float | None
    ) -> Stream:
        """Make a call on a connection of its own."""
        channel = self._channel
        connection = channel.check_out(deadline)
        patience: Patience | None = self._patience
        if channel.is_shared:
            patience = None  # other threads have something to do
        try:
            stream: Stream = connection.call(template, extra, message, deadline, patience)
        except BaseException:
            channel.discard(connection)
            raise
        channel.check_in(connection)
        return stream
