"""Logs what its hooks get, and does what a slash command asks."""

from __future__ import annotations

import json
import logging
import shlex
import time

from mattermost_plugin import (
    AutocompleteData,
    Channel,
    ChannelMember,
    Command,
    CommandArgs,
    CommandResponse,
    Config,
    Context,
    Plugin,
    PluginError,
    Post,
    Reaction,
    Reject,
    User,
)
from scenarios import Scenarios

log = logging.getLogger("witness")


class Witness(Plugin):
    """Overrides one hook of each kind the tests look at."""

    def on_activate(self) -> None:
        self.api.register_command(
            Command(
                trigger="witness",
                auto_complete=True,
                auto_complete_desc="Do something",
                autocomplete_data=AutocompleteData(
                    trigger="witness",
                    help_text="Do something",
                    role_id="system_user",
                    sub_commands=[
                        AutocompleteData(trigger="who", help_text="Say who calls", role_id="system_user")
                    ],
                ),
            )
        )
        log.info("Activated")

    def on_deactivate(self) -> None:
        log.info("Deactivated")

    def on_configuration_change(self) -> None:
        log.info("Configuration", extra=self.api.load_plugin_configuration())

    def configuration_will_be_saved(self, new_cfg: Config) -> Config | None:
        name = new_cfg.team_settings.site_name
        if name == "forbidden":
            raise PluginError("this name is taken")
        if name == "shout":
            new_cfg.team_settings.site_name = "SHOUT"
            return new_cfg
        return None

    def message_will_be_posted(self, context: Context, post: Post) -> Post | Reject | None:
        match post.message.split():
            case ["change", *words]:
                post.message = " ".join(words).upper()
                post.props = {**post.props, "changed_by": "witness"}
                return post
            case ["reject", *words]:
                return Reject(" ".join(words))
            case ["echo", *_]:
                return post
            case ["slow", seconds]:
                time.sleep(float(seconds))
                return Reject("too late to matter")
            case ["raise", *words]:
                raise RuntimeError(" ".join(words))
        return None

    def message_has_been_posted(self, context: Context, post: Post) -> None:
        log.info("Posted", extra={"post_id": post.id, "text": post.message})

    def message_will_be_updated(
        self, context: Context, new_post: Post, old_post: Post
    ) -> Post | Reject | None:
        if new_post.message.startswith("change"):
            new_post.message = f"{old_post.message}, then {new_post.message}"
            return new_post
        return Reject("no edits") if new_post.message.startswith("reject") else None

    def user_has_joined_channel(
        self, context: Context, channel_member: ChannelMember, actor: User | None
    ) -> None:
        extra = {"user_id": channel_member.user_id, "channel_id": channel_member.channel_id}
        log.info("Joined", extra={**extra, "actor": "" if actor is None else actor.username})

    def reaction_has_been_added(self, context: Context, reaction: Reaction) -> None:
        log.info("Reaction added", extra={"post_id": reaction.post_id, "emoji": reaction.emoji_name})

    def reaction_has_been_removed(self, context: Context, reaction: Reaction) -> None:
        log.info("Reaction removed", extra={"post_id": reaction.post_id, "emoji": reaction.emoji_name})

    def channel_will_be_archived(self, context: Context, channel: Channel) -> Reject | None:
        """A hook that servers call since 11.7; older ones must not mind that it is there."""
        return None

    def execute_command(self, context: Context, args: CommandArgs) -> CommandResponse:
        _, name, *words = shlex.split(args.command)
        result = getattr(Scenarios(self.api, args), name)(*words)
        return CommandResponse(response_type="ephemeral", text=json.dumps(result))


if __name__ == "__main__":
    Witness.run()
