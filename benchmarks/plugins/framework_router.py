"""A small page by the SDK's router, on the event loop."""

from mattermost_plugin import AsyncPlugin
from mattermost_plugin.http import Request, Router


class Routed(AsyncPlugin):
    http = Router()

    @http.get("/hello")
    async def hello(self, request: Request) -> str:
        return "Hello, world!"


if __name__ == "__main__":
    Routed.run()
