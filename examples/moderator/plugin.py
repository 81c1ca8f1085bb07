"""Keeps listed words out of posts, warns their authors and counts the warnings."""

from __future__ import annotations

import logging

from mattermost_plugin import (
    AutocompleteArg,
    AutocompleteData,
    AutocompleteTextArg,
    Bot,
    Command,
    CommandArgs,
    CommandResponse,
    Context,
    NotFound,
    Permission,
    Plugin,
    Post,
    Reject,
)
from settings import Settings
from warning_counts import WarningCounts
from word_filter import WordFilter

log = logging.getLogger(__name__)

MANAGE_SYSTEM = Permission(id="manage_system")
"""What only system administrators may do."""


class Moderator(Plugin):
    """A word filter with a slash command, `/warnings`."""

    def on_activate(self) -> None:
        """Make sure that the bot and the slash command exist."""
        self.counts = WarningCounts(self.api)
        self.bot_id = self.api.ensure_bot_user(
            Bot(
                username="moderator", display_name="Moderator", description="Asks people to keep it friendly."
            )
        )
        self.api.register_command(warnings_command())

    def on_configuration_change(self) -> None:
        """Take over what an administrator has set; called once before `on_activate`, too."""
        # Hooks may run meanwhile in other threads: each sees the old filter or the new one, never half of it.
        settings = self.load_configuration(Settings)
        self.filter = WordFilter(settings.word_list)
        self.settings = settings
        log.info("Configured", extra={"words": len(settings.word_list), "action": settings.action})

    def message_will_be_posted(self, context: Context, post: Post) -> Post | Reject | None:
        """Judge a new post."""
        return self.judge(post)

    def message_will_be_updated(
        self, context: Context, new_post: Post, old_post: Post
    ) -> Post | Reject | None:
        """Judge an edited post, or else everyone would post first and swear afterwards."""
        return self.judge(new_post)

    def execute_command(self, context: Context, args: CommandArgs) -> CommandResponse:
        """Answer `/warnings`; only the person who typed it sees the answer."""
        return CommandResponse(response_type="ephemeral", text=self.answer(args))

    def judge(self, post: Post) -> Post | Reject | None:
        """Reject or mask a post with unwanted words, and warn its author."""
        settings = self.settings
        found = self.filter.find(post.message)
        if not found or post.user_id == self.bot_id:
            return None
        count = self.counts.add(post.user_id)
        log.info("Unwanted words", extra={"user_id": post.user_id, "words": found, "warnings": count})
        if settings.notify:
            self.warn(post.user_id, found, count)
        if settings.action == "reject":
            return Reject(f"Please keep it friendly: {', '.join(found)}")
        post.message = self.filter.mask(post.message)
        return post

    def warn(self, user_id: str, words: list[str], count: int) -> None:
        """Write to the author, as the bot."""
        channel = self.api.get_direct_channel(self.bot_id, user_id)
        message = f"Please avoid: {', '.join(words)}. This is your warning no. {count}."
        self.api.create_post(Post(user_id=self.bot_id, channel_id=channel.id, message=message))

    def answer(self, args: CommandArgs) -> str:
        """Return the answer to a `/warnings` command."""
        match args.command.split():
            case [_]:
                return f"You have {counted(self.counts.get(args.user_id))}."
            case [_, "show" | "reset" as action, name]:
                if not self.api.has_permission_to(args.user_id, MANAGE_SYSTEM):
                    return "Only system administrators can do that."
                return self.manage(action, name.removeprefix("@"))
            case _:
                return "Usage: `/warnings`, `/warnings show @user` or `/warnings reset @user`"

    def manage(self, action: str, username: str) -> str:
        """Show or reset somebody's warnings."""
        try:
            user = self.api.get_user_by_username(username)
        except NotFound:
            return f"There is no user @{username}."
        if action == "reset":
            self.counts.reset(user.id)
            return f"The warnings of @{username} are forgotten."
        return f"@{username} has {counted(self.counts.get(user.id))}."


def counted(count: int) -> str:
    """Return the number of warnings in words fit for a sentence."""
    return "1 warning" if count == 1 else f"{count or 'no'} warnings"


def warnings_command() -> Command:
    """Describe `/warnings`: what the message box suggests while someone types it.

    A suggestion without `role_id` is for administrators only, as one with `system_admin` is.
    """
    user = AutocompleteArg(
        help_text="Whose warnings",
        type="TextInput",
        required=True,
        data=AutocompleteTextArg(hint="@user", pattern=""),
    )
    return Command(
        trigger="warnings",
        auto_complete=True,
        auto_complete_desc="See how often you have been warned",
        auto_complete_hint="[show|reset] [@user]",
        autocomplete_data=AutocompleteData(
            trigger="warnings",
            help_text="See how often you have been warned",
            role_id="system_user",
            sub_commands=[
                AutocompleteData(
                    trigger=name, hint="@user", help_text=text, role_id="system_admin", arguments=[user]
                )
                for name, text in (
                    ("show", "Show somebody's warnings"),
                    ("reset", "Forget somebody's warnings"),
                )
            ],
        ),
    )


if __name__ == "__main__":
    Moderator.run()
