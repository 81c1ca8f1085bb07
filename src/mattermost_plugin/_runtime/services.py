"""What go-plugin expects every gRPC plugin to serve beside its own service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mattermost_plugin._grpc import Handler, Kind, RpcError, StatusCode, as_is
from mattermost_plugin._runtime import wire

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["BROKER", "CONTROLLER", "HEALTH_CHECK", "HEALTH_WATCH", "STDIO", "health_status", "raw"]

HEALTH_CHECK = "/grpc.health.v1.Health/Check"
HEALTH_WATCH = "/grpc.health.v1.Health/Watch"
BROKER = "/plugin.GRPCBroker/StartStream"
CONTROLLER = "/plugin.GRPCController/Shutdown"
STDIO = "/plugin.GRPCStdio/StreamStdio"

# The services whose health is known: the server as a whole, and go-plugin's name for the plugin.
_HEALTHY = frozenset({"", "plugin"})


def raw(kind: Kind, function: Callable[..., Any]) -> Handler:
    """Return a handler whose requests and responses are the octets of the messages."""
    return Handler(kind, function, as_is, as_is)


def health_status(request: bytes, *, serving: bool) -> bytes | None:
    """Return the `HealthCheckResponse` for a request; None: no such service.

    Raises:
        RpcError: The request is none.
    """
    try:
        service = wire.health_service(request)
    except ValueError as error:
        raise RpcError(StatusCode.INVALID_ARGUMENT, str(error)) from None
    if service not in _HEALTHY:
        return None
    return wire.SERVING if serving else wire.NOT_SERVING
