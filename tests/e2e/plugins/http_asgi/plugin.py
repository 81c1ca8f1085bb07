"""A plugin on asyncio that serves an ASGI application and metrics."""

from __future__ import annotations

import logging

from prometheus_client import CollectorRegistry, Gauge, make_asgi_app

from application import application
from mattermost_plugin import AsyncPlugin

log = logging.getLogger("http-asgi")

registry = CollectorRegistry()
Gauge("witness_answer", "What the tests look for.", registry=registry).set(42)


class HTTPWitness(AsyncPlugin):
    """Serves what the end-to-end tests ask for."""

    http = application
    metrics = make_asgi_app(registry)

    async def on_activate(self) -> None:
        log.info("Activated")

    async def on_deactivate(self) -> None:
        log.info("Deactivated")


if __name__ == "__main__":
    HTTPWitness.run()
