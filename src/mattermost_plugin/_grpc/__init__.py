"""gRPC over HTTP/2: a core that never touches a socket, and two drivers that only move octets.

`mattermost_plugin._grpc.aio` serves and calls on an asyncio event loop, `mattermost_plugin._grpc.threads`
with blocking sockets.
"""

from __future__ import annotations

from mattermost_plugin._compiled import compiled_folder

_compiled = compiled_folder("_grpc")
if _compiled is not None:
    __path__.insert(0, _compiled)

# From here on, modules of the core may be compiled ones.
from mattermost_plugin._grpc.handlers import Handler, Kind  # noqa: E402
from mattermost_plugin._grpc.messages import as_is  # noqa: E402
from mattermost_plugin._grpc.options import Options  # noqa: E402
from mattermost_plugin._grpc.status import Metadata, RpcError, StatusCode  # noqa: E402

__all__ = ["Handler", "Kind", "Metadata", "Options", "RpcError", "StatusCode", "as_is"]
