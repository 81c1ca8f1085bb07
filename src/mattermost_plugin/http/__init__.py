"""HTTP for plugins: what the server asks a plugin, and what a plugin asks other plugins.

A plugin serves HTTP with the class attribute `http` (and metrics with `metrics`): any ASGI application
(FastAPI, Starlette, Django, ...), any WSGI application (Flask, ...), or a `Router`; that needs the extra
`http`. It asks other plugins with httpx (extra `httpx`) and a `PluginTransport` or `AsyncPluginTransport`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mattermost_plugin.http._errors import ClientDisconnected
    from mattermost_plugin.http._info import (
        RequestInfo,
        request_context,
        request_info,
        request_plugin,
        request_user_id,
    )
    from mattermost_plugin.http._limits import HTTPLimits
    from mattermost_plugin.http._router import Request, Response, Router
    from mattermost_plugin.http._transport import AsyncPluginTransport, PluginTransport

__all__ = [
    "AsyncPluginTransport",
    "ClientDisconnected",
    "HTTPLimits",
    "PluginTransport",
    "Request",
    "RequestInfo",
    "Response",
    "Router",
    "request_context",
    "request_info",
    "request_plugin",
    "request_user_id",
]

_MODULES = {
    "AsyncPluginTransport": "_transport",
    "ClientDisconnected": "_errors",
    "HTTPLimits": "_limits",
    "PluginTransport": "_transport",
    "Request": "_router",
    "RequestInfo": "_info",
    "Response": "_router",
    "Router": "_router",
    "request_context": "_info",
    "request_info": "_info",
    "request_plugin": "_info",
    "request_user_id": "_info",
}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        module = _MODULES.get(name)
        if module is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(f"{__name__}.{module}"), name)
        globals()[name] = value
        return value
