"""The threads driver: a gRPC server and a channel with blocking sockets."""

from __future__ import annotations
