"""A small page by an ASGI application that is written by hand."""

from __future__ import annotations

from typing import Any

from mattermost_plugin import AsyncPlugin

BODY = b"Hello, world!"
HEADERS = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(BODY))]


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        while True:
            kind = (await receive())["type"]
            await send({"type": f"{kind}.complete"})
            if kind == "lifespan.shutdown":
                return
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": BODY})


class ByHand(AsyncPlugin):
    http = staticmethod(app)


if __name__ == "__main__":
    ByHand.run()
