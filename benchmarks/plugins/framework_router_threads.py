"""A small page by the SDK's router, in threads."""

from mattermost_plugin import Plugin
from mattermost_plugin.http import Request, Router


class Routed(Plugin):
    http = Router()

    @http.get("/hello")
    def hello(self, request: Request) -> str:
        return "Hello, world!"


if __name__ == "__main__":
    Routed.run()
