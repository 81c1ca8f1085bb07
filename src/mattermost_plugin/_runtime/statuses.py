"""From gRPC statuses to the exceptions an author sees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mattermost_plugin._grpc import StatusCode
from mattermost_plugin._grpc.status import ForkedError
from mattermost_plugin.errors import (
    CallFailed,
    DeadlineExceeded,
    NotConnected,
    NotSupported,
    PluginError,
    Unavailable,
    UsedAfterFork,
)

if TYPE_CHECKING:
    from mattermost_plugin._codec.methods import Method
    from mattermost_plugin._grpc import RpcError

__all__ = ["MINIMUM_VERSION_KEY", "call_error", "files_of", "not_connected", "unavailable_here"]

# Metadata of an UNIMPLEMENTED answer: the first Mattermost version that has the method.
MINIMUM_VERSION_KEY = "mattermost-minimum-version"


def call_error(error: RpcError, method: Method, timeout: float | None) -> PluginError:
    """Return the exception for a call that failed with a status."""
    if isinstance(error, ForkedError):
        return UsedAfterFork(error.message)
    name, code = method.go_name, error.code
    if code == StatusCode.UNIMPLEMENTED:
        version = _minimum_version(error) or method.minimum_version
        needed = f"it needs Mattermost {version} or later" if version else "it needs a newer Mattermost"
        return NotSupported(
            f"this server does not have {name}: {needed}", method=name, minimum_version=version
        )
    if code == StatusCode.DEADLINE_EXCEEDED:
        waited = "the limit of the call" if timeout is None else f"{timeout:g} seconds"
        return DeadlineExceeded(f"{name} was not answered within {waited}", method=name, timeout=timeout)
    if code == StatusCode.UNAVAILABLE:
        return Unavailable(f"{name} could not reach the host: {error.message}", method=name)
    status = StatusCode(code).name
    return CallFailed(f"{name} failed with {status}: {error.message}", method=name, status=status)


def _minimum_version(error: RpcError) -> str:
    for key, value in error.trailing_metadata or ():
        if key == MINIMUM_VERSION_KEY and isinstance(value, str):
            return value
    return ""


def unavailable_here(method: Method) -> NotSupported:
    """Return the exception for a method that this release cannot do."""
    return NotSupported(method.unavailable, method=method.go_name, minimum_version=method.minimum_version)


def not_connected() -> NotConnected:
    """Return the exception for a call without a host."""
    return NotConnected(
        "there is no connection to the server: the API works from the first on_configuration_change "
        "(just before on_activate) to the end of on_deactivate"
    )


def files_of(transport: Any) -> Any:
    """Return the transport, if it moves files: it has `upload` and `download`.

    Raises:
        NotSupported: It carries plain calls only, as that of a host in this process may do.
    """
    if not hasattr(transport, "upload"):
        raise NotSupported("the host of this plugin does not move files", method="", minimum_version="")
    return transport
