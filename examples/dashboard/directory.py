"""What the server says about channels and people: who may see what, and what it is called."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from activity import MINUTE, WINDOW, Event, now_ms
from mattermost_plugin import BadRequest, ChannelType, NotFound

if TYPE_CHECKING:
    from mattermost_plugin import Channel, Post, Team
    from mattermost_plugin.api import AsyncAPI

MAX_LISTED = 200
"""Channels that one person sees: those with the newest posts."""

MAX_NAMES = 5000
"""Names of users that are remembered."""

NAMES_LAST = 10 * MINUTE
"""Milliseconds after which a name is asked for again."""

EXCERPT = 160
"""Characters of a post that are shown."""


@dataclass(frozen=True)
class Listing:
    """A channel as one person sees it.

    Attributes:
        id: The channel's id.
        name: What the person knows it as: the other's name for direct messages.
        team: The team's name; empty for direct and group messages.
        private: Whether not everyone in the team may join.
        link: Its address, relative to the page.
        last_post_at: When the latest post was written, in milliseconds since the Unix epoch.
    """

    id: str
    name: str
    team: str
    private: bool
    link: str
    last_post_at: int = field(compare=False)


class Directory:
    """Asks the server.

    Args:
        api: The plugin's API.
    """

    def __init__(self, api: AsyncAPI) -> None:
        self._api = api
        self._names: dict[str, tuple[str, int]] = {}

    async def has_session(self, session_id: str) -> bool:
        """Return whether a session goes on: the person has not logged out, and it has not run out."""
        try:
            session = await self._api.get_session(session_id)
        except (BadRequest, NotFound):  # servers say the former of a session that is gone
            return False
        return not session.expires_at or session.expires_at > now_ms()

    async def members(self, channel_id: str, user_ids: set[str]) -> set[str]:
        """Return those of the users who are members of a channel now."""
        members = await self._api.get_channel_members_by_ids(channel_id, sorted(user_ids))
        return {member.user_id for member in members}

    async def channels_of(self, user_id: str) -> dict[str, Listing]:
        """Return the channels of which a user is a member now, by their ids."""
        teams = {team.id: team for team in await self._api.get_teams_for_user(user_id)}
        try:
            channels = await self._api.get_channels_for_team_for_user("", user_id, False)
        except NotFound:
            return {}
        channels.sort(key=lambda channel: channel.last_post_at, reverse=True)
        listed: dict[str, Listing] = {}
        for channel in channels[:MAX_LISTED]:
            listing = await self._listing(channel, user_id, teams)
            if listing is not None:
                listed[channel.id] = listing
        return listed

    async def history(self, channel_id: str) -> list[Event]:
        """Return the posts of the last hour in a channel, 60 at most."""
        page = await self._api.get_posts_for_channel(channel_id, 0, 60)
        begin = now_ms() - WINDOW * MINUTE
        posts = [page.posts[post_id] for post_id in reversed(page.order)]
        return [post_event(post) for post in posts if post.create_at > begin and is_shown(post)]

    async def name_of(self, user_id: str) -> str:
        """Return a user's name."""
        name, until = self._names.get(user_id, ("", 0))
        if until < now_ms():
            try:
                name = (await self._api.get_user(user_id)).username
            except NotFound:
                name = "somebody"
            if len(self._names) >= MAX_NAMES:
                self._names.clear()
            self._names[user_id] = (name, now_ms() + NAMES_LAST)
        return name

    async def _listing(self, channel: Channel, user_id: str, teams: dict[str, Team]) -> Listing | None:
        team = teams.get(channel.team_id)
        # Direct messages belong to no team, but are shown within one.
        around = team or next(iter(teams.values()), None)
        page = f"../../{around.name}" if around else ""
        if channel.type in (ChannelType.OPEN, ChannelType.PRIVATE) and team:
            name, link = channel.display_name, f"{page}/channels/{channel.name}"
        elif channel.type == ChannelType.DIRECT:
            one, _, other = channel.name.partition("__")
            name = f"@{await self.name_of(other if one == user_id else one)}"
            link = f"{page}/messages/{name}"
        elif channel.type == ChannelType.GROUP:
            name, link = channel.display_name, f"{page}/messages/{channel.name}"
        else:
            return None
        return Listing(
            id=channel.id,
            name=name,
            team=team.display_name if team else "",
            private=channel.type != ChannelType.OPEN,
            link=link if page else "",
            last_post_at=channel.last_post_at,
        )


def is_shown(post: Post) -> bool:
    """Return whether a post is shown: people's and plugins' are, but none that burns when it is read."""
    return not post.type.startswith("system_") and post.type != "burn_on_read"


def post_event(post: Post) -> Event:
    """Return a new post as an event."""
    return Event("post", post.create_at, post.user_id, post.id, post.root_id, excerpt(post))


def excerpt(post: Post) -> str:
    """Return the beginning of what a post says, in one line."""
    text = " ".join(post.message.split())
    if not text and post.file_ids:
        return "1 file" if len(post.file_ids) == 1 else f"{len(post.file_ids)} files"
    return text if len(text) <= EXCERPT else f"{text[: EXCERPT - 1].rstrip()}…"
