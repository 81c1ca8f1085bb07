"""gRPC over HTTP/2: a core that never touches a socket, and two drivers that only move octets.

`mattermost_plugin._grpc.aio` serves and calls on an asyncio event loop, `mattermost_plugin._grpc.threads`
with blocking sockets.
"""

from __future__ import annotations

from mattermost_plugin._grpc.handlers import Handler, Kind
from mattermost_plugin._grpc.options import Options
from mattermost_plugin._grpc.status import Metadata, RpcError, StatusCode

__all__ = ["Handler", "Kind", "Metadata", "Options", "RpcError", "StatusCode"]
