"""Lets people say things on a real server and prints what came of it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TextIO

from tests.harness import RestError

if TYPE_CHECKING:
    from tests.harness import InstalledPlugin, Json, MattermostServer, RestClient

__all__ = ["Stage"]

NAME_WIDTH = 10
QUIET_FIELDS = {"timestamp", "caller", "plugin_id", "logger"}


class Stage:
    """One channel, and everything that is said in it.

    Args:
        server: The server the people talk on.
        plugin: The plugin that listens.
        channel: Where they talk.
        output: Where to print; None for standard output.
    """

    def __init__(
        self, server: MattermostServer, plugin: InstalledPlugin, channel: Json, output: TextIO | None = None
    ) -> None:
        self._server = server
        self._plugin = plugin
        self._channel_id: str = channel["id"]
        self._output = sys.stdout if output is None else output
        self._read: set[str] = set()

    def line(self, text: str = "") -> None:
        """Print a line."""
        self._output.write(f"{text}\n")
        self._output.flush()

    def post(self, author: RestClient, message: str) -> Json | None:
        """Post a message; what the server stored, or None if it was rejected."""
        self._say(author.username, message)
        try:
            post = author.create_post(self._channel_id, message)
        except RestError as error:
            self._note(f"not posted: {error.message}")
            return None
        if post["message"] != message:
            self._note(f"posted as: {post['message']}")
        return post

    def edit(self, author: RestClient, post: Json, message: str) -> None:
        """Edit a post."""
        self._say(author.username, f"(edits it) {message}")
        try:
            edited = author.put(f"posts/{post['id']}/patch", {"message": message})
        except RestError as error:
            self._note(f"not changed: {error.message}")
            return
        if edited["message"] != message:
            self._note(f"changed to: {edited['message']}")

    def command(self, author: RestClient, command: str) -> None:
        """Run a slash command."""
        self._say(author.username, command)
        answer = author.run_command(self._channel_id, command)["text"]
        self._note(f"answer, seen by @{author.username} only: {answer}")

    def read_direct_messages(self, reader: RestClient, sender_id: str) -> None:
        """Print what a bot has written to somebody since the last time."""
        sender = self._server.admin.get(f"users/{sender_id}")["username"]
        for post in reader.posts(reader.direct_channel(sender_id)["id"]):
            if post["user_id"] == sender_id and post["id"] not in self._read:
                self._read.add(post["id"])
                self._say(sender, f"(to @{reader.username} only) {post['message']}")

    def configure(self, **settings: str | bool) -> None:
        """Change the plugin's settings as an administrator."""
        changes = ", ".join(f"{name} = {value}" for name, value in settings.items())
        self.line()
        self.line(f"  An administrator changes the plugin's settings: {changes}")
        self.line()
        mark = self._server.log.mark()
        self._plugin.configure(**settings)
        self._plugin.wait_for_log("Configured", since=mark)

    def show_log(self) -> None:
        """Print what the plugin wrote to the server's log."""
        for record in self._plugin.log():
            if record.level in {"info", "warn", "error"} and "logger" in record.fields:
                fields = [
                    f"{name}={value}" for name, value in record.fields.items() if name not in QUIET_FIELDS
                ]
                self.line(f"  {record.level:5} {record.message}  {' '.join(fields)}")

    def _say(self, name: str, text: str) -> None:
        self.line(f"  {name:>{NAME_WIDTH}} | {text}")

    def _note(self, text: str) -> None:
        self.line(f"  {'':>{NAME_WIDTH}} └ {text}")
