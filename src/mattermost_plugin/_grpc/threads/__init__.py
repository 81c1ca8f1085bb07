"""The threads driver: a gRPC server and a channel with blocking calls."""

from __future__ import annotations

from mattermost_plugin._grpc.threads.channel import Channel
from mattermost_plugin._grpc.threads.server import Server
from mattermost_plugin._grpc.threads.server_calls import ServerCall

__all__ = ["Channel", "Server", "ServerCall"]
