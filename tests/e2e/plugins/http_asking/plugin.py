"""A plugin on asyncio whose application is made by a method, and which asks another plugin."""

from __future__ import annotations

from typing import Any

import httpx
from fastapi import FastAPI

from asking import SCENARIOS
from mattermost_plugin import AsyncPlugin
from mattermost_plugin.http import AsyncPluginTransport

OTHER = "http://org.example.http-asgi"


class Asking(AsyncPlugin):
    """Serves a FastAPI application that knows the plugin by its closure."""

    def http(self) -> FastAPI:
        """Make the application."""
        app = FastAPI()

        @app.get("/ask")
        async def ask(scenario: str) -> Any:
            """Ask the other plugin with httpx and say what came of it."""
            transport = AsyncPluginTransport(self.api)
            async with httpx.AsyncClient(transport=transport, base_url=OTHER, timeout=10.0) as client:
                return await SCENARIOS[scenario](client)

        return app


if __name__ == "__main__":
    Asking.run()
