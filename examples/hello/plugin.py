"""The smallest plugin: it waves at everyone who says hello."""

from __future__ import annotations

import logging

from mattermost_plugin import Context, Plugin, Post

log = logging.getLogger(__name__)


class Hello(Plugin):
    """Adds a waving hand to a post that says hello."""

    def on_activate(self) -> None:
        """Say in the server's log that the plugin runs."""
        log.info("Hello from Python", extra={"server_version": self.api.get_server_version()})

    def message_will_be_posted(self, context: Context, post: Post) -> Post | None:
        """Change a post before it is stored; None leaves it as it is."""
        if post.message.strip().rstrip("!.").lower() != "hello":
            return None
        post.message += " :wave:"
        return post


if __name__ == "__main__":
    Hello.run()
