"""The asyncio driver: a gRPC server and a channel on an event loop, uvloop's as well."""

from __future__ import annotations

from mattermost_plugin._grpc.aio.channel import Channel
from mattermost_plugin._grpc.aio.server import Server
from mattermost_plugin._grpc.aio.server_calls import ServerCall

__all__ = ["Channel", "Server", "ServerCall"]
