"""What is said in the demonstration."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from demo.stage import Stage
    from tests.harness import MattermostServer, RestClient

__all__ = ["play"]


def play(stage: Stage, server: MattermostServer, ann: RestClient, ben: RestClient) -> None:
    """Show each thing the plugin does: reject, warn, count, answer, mask, and heed its settings."""
    bot_id = server.admin.get("users/username/moderator")["id"]

    stage.post(ann, "Good morning! Has anybody seen the new film?")
    stage.post(ben, "I have. What a badword ending.")
    stage.read_direct_messages(ben, bot_id)
    post = stage.post(ben, "I have. What an ending.")
    if post is not None:
        stage.edit(ben, post, "I have. What a BADWORD ending.")
    stage.read_direct_messages(ben, bot_id)
    stage.command(ben, "/warnings")
    stage.command(ben, "/warnings reset @ben")
    stage.command(server.admin, "/warnings show @ben")

    stage.configure(words="badword, butler", action="mask", notify=False)
    stage.post(ann, "Do not tell me who did it!")
    stage.post(ben, "It was the butler.")
    stage.command(server.admin, "/warnings show @ben")
    stage.command(server.admin, "/warnings reset @ben")
    stage.command(ben, "/warnings")
