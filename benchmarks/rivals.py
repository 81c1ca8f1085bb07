"""Who is measured: plugins that do the same, in several languages and by several ways."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["BASE", "FRAMEWORKS", "RIVALS", "SOURCES", "Rival"]


@dataclass(frozen=True)
class Rival:
    """One plugin that is measured.

    Attributes:
        name: What tables and charts call it.
        mode: "server" (Mattermost's plugin.Environment over net/rpc) or "native" (package host over gRPC).
        executable: The program of the bundle that the server would start.
        entrypoint: The module under plugins/; "" for plugins in Go.
        serving: The module that serves HTTP; "" where `entrypoint` does, or nothing does.
        sources: Whether everything runs as its sources, even where the compiled core is installed.
        has: What it does beside hooks, API calls and files: "http", "sql".
    """

    name: str
    mode: str
    executable: str
    entrypoint: str = ""
    serving: str = ""
    has: tuple[str, ...] = ("http", "sql")
    sources: bool = False

    @property
    def slug(self) -> str:
        """The name as a part of a file's name."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower())


def _python(name: str, mode: str, kind: str) -> Rival:
    return Rival(name, mode, "bridge", f"measured_{kind}", f"serving_{kind}")


BASE = Rival("Go, net/rpc", "server", "goplugin")
"""What all others are compared with: a plugin in Go in a Mattermost server of today."""

RIVALS = (
    BASE,
    Rival("Go, gRPC", "native", "grpcplugin"),
    _python("Python sync", "native", "sync"),
    _python("Python async", "native", "async_plain"),
    _python("Python async, uvloop", "native", "async"),
    _python("Python sync, bridge", "server", "sync"),
    _python("Python async, uvloop, bridge", "server", "async"),
    Rival("grpcio sync", "native", "bridge", "grpcio_plugin", has=()),
    Rival("grpcio aio", "native", "bridge", "grpcio_aio_plugin", has=()),
)

SOURCES = (
    Rival("Python sync, sources", "native", "bridge", "measured_sync", sources=True),
    Rival("Python async, sources", "native", "bridge", "measured_async_plain", sources=True),
)
"""What a plugin is without the compiled core."""

FRAMEWORKS = (
    Rival("ASGI by hand", "native", "bridge", "framework_asgi"),
    Rival("the SDK's router", "native", "bridge", "framework_router"),
    Rival("Starlette", "native", "bridge", "serving_async"),
    Rival("FastAPI", "native", "bridge", "framework_fastapi"),
    Rival("the SDK's router, threads", "native", "bridge", "framework_router_threads"),
    Rival("Flask, threads", "native", "bridge", "framework_flask"),
)
"""Plugins that serve the same small page by different frameworks."""
