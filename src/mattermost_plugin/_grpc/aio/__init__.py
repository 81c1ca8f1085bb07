"""The asyncio driver: a gRPC server and a channel on an event loop, uvloop's as well."""

from __future__ import annotations

from mattermost_plugin._compiled import compiled_folder

_compiled = compiled_folder("_grpc/aio")
if _compiled is not None:
    __path__.insert(0, _compiled)

# From here on, modules may be compiled ones.
from mattermost_plugin._grpc.aio.channel import Channel  # noqa: E402
from mattermost_plugin._grpc.aio.server import Server  # noqa: E402
from mattermost_plugin._grpc.aio.server_calls import ServerCall  # noqa: E402

__all__ = ["Channel", "Server", "ServerCall"]
