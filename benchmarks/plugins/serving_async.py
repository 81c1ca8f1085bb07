"""A plugin on asyncio that serves HTTP."""

from application import app
from mattermost_plugin import AsyncPlugin


class ServingAsyncPlugin(AsyncPlugin):
    http = app


if __name__ == "__main__":
    ServingAsyncPlugin.run()
