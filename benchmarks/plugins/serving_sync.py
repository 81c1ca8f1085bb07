"""A blocking plugin that serves HTTP."""

from application import app
from mattermost_plugin import Plugin


class ServingPlugin(Plugin):
    http = app


if __name__ == "__main__":
    ServingPlugin.run()
