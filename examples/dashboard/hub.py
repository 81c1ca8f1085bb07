"""Carries what happens to the open pages; each gets what its person may see, and no page waits for another.

Whatever is sent was there before the server was asked who is a member of the channel. So nothing reaches
somebody who has left, not even in the moment of leaving.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from activity import MINUTE, WINDOW, Activity, Event, now_ms
from directory import Directory, Listing
from open_page import OpenPage
from views import ActivityView, ChannelView, EventView

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mattermost_plugin.api import AsyncAPI
    from views import Update

log = logging.getLogger("dashboard")

PUBLISH_INTERVAL = 0.2
"""Seconds between two updates of the pages; what happens in between travels together."""

SEND_TIMEOUT = 20.0
"""Seconds that a page may take to receive an update; a slower one is left and may come back."""

MAX_PAGES = 1000
MAX_PAGES_PER_USER = 20


class SessionEnded(Exception):
    """The person has logged out."""


class TooManyPages(Exception):
    """More pages are open than there may be."""


class Hub:
    """Knows what happens and who looks on.

    Args:
        api: The plugin's API.
    """

    def __init__(self, api: AsyncAPI) -> None:
        self._directory = Directory(api)
        self._activity = Activity()
        self._pages: set[OpenPage] = set()
        self._changed: set[str] = set()
        self._wake = asyncio.Event()

    def record(self, channel_id: str, event: Event) -> None:
        """Note what has happened; returns at once, whoever looks on."""
        self._activity.of(channel_id).record(event)
        self.touch(channel_id)

    def touch(self, channel_id: str) -> None:
        """Note that a channel changed: what is in it, or who."""
        if self._pages:
            self._changed.add(channel_id)
            self._wake.set()

    def refresh(self, user_id: str) -> None:
        """Have the pages of a user look at their session and their list of channels again."""
        for page in self._pages:
            if page.user_id == user_id:
                page.refresh_soon()

    async def look(self, user_id: str, session_id: str) -> Update:
        """Return everything that a user may see now.

        Raises:
            SessionEnded: The user has logged out meanwhile.
        """
        page = OpenPage(user_id, session_id)
        await self._refresh(page)
        return page.take()

    async def follow(self, user_id: str, session_id: str, send: Callable[[str], Awaitable[None]]) -> None:
        """Send updates to a page: first everything, then what changes.

        Raises:
            SessionEnded: The user has logged out.
            TooManyPages: There are too many.
            asyncio.TimeoutError: The page does not receive what it is sent.
        """
        own = sum(page.user_id == user_id for page in self._pages)
        if len(self._pages) >= MAX_PAGES or own >= MAX_PAGES_PER_USER:
            raise TooManyPages
        page = OpenPage(user_id, session_id)
        self._pages.add(page)
        try:
            while True:
                refreshed = page.must_refresh()
                if refreshed:
                    await self._refresh(page)
                update = page.take()
                # After a refresh also when nothing changed: the page sees that it is still connected.
                if refreshed or update.channels or update.gone:
                    await asyncio.wait_for(send(update.model_dump_json()), SEND_TIMEOUT)
                await page.wait()
        finally:
            self._pages.discard(page)

    async def publish(self) -> None:
        """Tell the pages what changes, for ever."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            changed, self._changed = self._changed, set()
            for channel_id in changed:
                await self._publish(channel_id)
            await asyncio.sleep(PUBLISH_INTERVAL)

    async def _publish(self, channel_id: str) -> None:
        try:
            await self._tell_pages(channel_id)
        except Exception:
            # One channel's failure must not be the end of all others'. The pages see what they missed with
            # the next event.
            log.exception("Could not publish", extra={"channel_id": channel_id})

    async def _tell_pages(self, channel_id: str) -> None:
        pages = list(self._pages)
        if not pages:
            return
        activity = await self._view(channel_id)
        members = await self._directory.members(channel_id, {page.user_id for page in pages})
        for page in pages:
            if page.user_id not in members:
                page.hide(channel_id)
            elif channel_id in page.listed:
                page.show(channel_view(page.listed[channel_id], activity))
            else:
                page.refresh_soon()

    async def _refresh(self, page: OpenPage) -> None:
        if not await self._directory.has_session(page.session_id):
            raise SessionEnded
        listed = await self._directory.channels_of(page.user_id)
        views: dict[str, tuple[int, ActivityView]] = {}
        for listing in listed.values():
            if page.listed.get(listing.id) != listing:
                await self._read_history(listing)
                views[listing.id] = self._changes(listing.id), await self._view(listing.id)
        if views:
            listed = await self._directory.channels_of(page.user_id)
        for channel_id in page.listed.keys() - listed.keys():
            page.hide(channel_id)
        for listing in listed.values():
            if listing.id in views:
                changes, activity = views[listing.id]
                page.listed[listing.id] = listing
                page.show(channel_view(listing, activity))
                if self._changes(listing.id) != changes:
                    self.touch(listing.id)

    async def _read_history(self, listing: Listing) -> None:
        activity = self._activity.get(listing.id)
        if activity is None or not activity.has_history:
            if listing.last_post_at < now_ms() - WINDOW * MINUTE:
                return
            posts = await self._directory.history(listing.id)
            self._activity.of(listing.id).add_history(posts)

    def _changes(self, channel_id: str) -> int:
        activity = self._activity.get(channel_id)
        return activity.changes if activity else 0

    async def _view(self, channel_id: str) -> ActivityView:
        activity = self._activity.get(channel_id)
        if activity is None:
            return ActivityView(minutes=[], events=[])
        minutes = activity.minutes()
        # A copy: names have to be waited for, and meanwhile the events may change.
        events = [
            EventView(
                kind=event.kind,
                at=event.at,
                user_id=event.user_id,
                user="",
                post_id=event.post_id,
                text=event.text,
            )
            for event in activity.events
        ]
        for event in events:
            event.user = await self._directory.name_of(event.user_id)
        return ActivityView(minutes=minutes, events=events)


def channel_view(listing: Listing, activity: ActivityView) -> ChannelView:
    """Return a channel as one person sees it."""
    return ChannelView(
        id=listing.id,
        name=listing.name,
        team=listing.team,
        private=listing.private,
        link=listing.link,
        last_post_at=listing.last_post_at,
        activity=activity,
    )
