"""Shows live what happens in one's channels, on a page of the server."""

from __future__ import annotations

import asyncio
import contextlib

from activity import Event, now_ms
from directory import excerpt, is_shown, post_event
from hub import Hub
from mattermost_plugin import (
    AsyncPlugin,
    Channel,
    ChannelMember,
    Command,
    CommandArgs,
    CommandResponse,
    Context,
    Post,
    Reaction,
    TeamMember,
    User,
)
from web import app


class Dashboard(AsyncPlugin):
    """The hooks say what happens, the page shows it."""

    http = app

    async def on_activate(self) -> None:
        """Begin to listen, and offer `/dashboard`."""
        self.hub = Hub(self.api)
        self.publishing = asyncio.create_task(self.hub.publish())
        await self.api.register_command(
            Command(
                trigger="dashboard",
                auto_complete=True,
                auto_complete_desc="See live what happens in your channels",
            )
        )

    async def on_deactivate(self) -> None:
        """Stop; the pages come back when the plugin does."""
        self.publishing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.publishing

    async def execute_command(self, context: Context, args: CommandArgs) -> CommandResponse:
        """Answer `/dashboard` with the page's address."""
        site_url = (await self.api.get_config()).service_settings.site_url or ""
        address = f"{site_url.rstrip('/')}/plugins/{self.plugin_id}/"
        return CommandResponse(
            response_type="ephemeral", text=f"[See live what happens in your channels]({address})"
        )

    async def message_has_been_posted(self, context: Context, post: Post) -> None:
        """Record a new post."""
        if is_shown(post):
            self.hub.record(post.channel_id, post_event(post))

    async def message_has_been_updated(self, context: Context, new_post: Post, old_post: Post) -> None:
        """Record an edit; to pin a post, for example, is none."""
        if is_shown(new_post) and new_post.edit_at != old_post.edit_at:
            event = Event("edit", new_post.edit_at, new_post.user_id, new_post.id, new_post.root_id)
            event.text = excerpt(new_post)
            self.hub.record(new_post.channel_id, event)

    async def message_has_been_deleted(self, context: Context, post: Post) -> None:
        """Record a deletion."""
        if is_shown(post):
            event = Event("delete", now_ms(), post.user_id, post.id, post.root_id)
            self.hub.record(post.channel_id, event)

    async def reaction_has_been_added(self, context: Context, reaction: Reaction) -> None:
        """Record a reaction."""
        event = Event("reaction", reaction.create_at, reaction.user_id, reaction.post_id)
        event.text = f":{reaction.emoji_name}:"
        self.hub.record(reaction.channel_id, event)

    async def user_has_joined_channel(
        self, context: Context, channel_member: ChannelMember, actor: User | None
    ) -> None:
        """Record that somebody joined; their pages begin to show the channel."""
        self.hub.record(channel_member.channel_id, Event("join", now_ms(), channel_member.user_id))

    async def user_has_left_channel(
        self, context: Context, channel_member: ChannelMember, actor: User | None
    ) -> None:
        """Record that somebody left; their pages do not show the channel any more."""
        self.hub.record(channel_member.channel_id, Event("leave", now_ms(), channel_member.user_id))

    async def channel_has_been_created(self, context: Context, channel: Channel) -> None:
        """Have the pages of the members show a new channel."""
        self.hub.touch(channel.id)

    async def user_has_left_team(self, context: Context, team_member: TeamMember, actor: User | None) -> None:
        """Take the team's channels from somebody's pages: the channels' own hooks are not called."""
        self.hub.refresh(team_member.user_id)

    async def user_has_been_deactivated(self, context: Context, user: User) -> None:
        """End somebody's pages: there is no session any more."""
        self.hub.refresh(user.id)


if __name__ == "__main__":
    Dashboard.run()
