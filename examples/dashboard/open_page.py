"""What one open page has been sent, and what it has not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from activity import now_ms
from views import Update

if TYPE_CHECKING:
    from directory import Listing
    from views import ChannelView

REFRESH_INTERVAL = 30.0
"""Seconds after which a page's session and channels are looked at again, whatever happens or does not."""

REFRESH_PAUSE = 1.0
"""Seconds between two such looks at least."""


class OpenPage:
    """One open page.

    What it has not been sent yet is kept once per channel, as the latest state. So a slow page costs no more
    memory than its channels, and catches up with one message.

    Args:
        user_id: Who sees it.
        session_id: The session in which it was opened.

    Attributes:
        listed: The channels that it shows, by their ids.
    """

    def __init__(self, user_id: str, session_id: str) -> None:
        self.user_id = user_id
        self.session_id = session_id
        self.listed: dict[str, Listing] = {}
        self._changed: dict[str, ChannelView] = {}
        self._gone: set[str] = set()
        self._whole = True
        self._refresh_at = 0.0
        self._refreshed_at = -REFRESH_PAUSE
        self._wake = asyncio.Event()

    def show(self, channel: ChannelView) -> None:
        """Have the page show a channel as it is now."""
        self._gone.discard(channel.id)
        self._changed[channel.id] = channel
        self._wake.set()

    def hide(self, channel_id: str) -> None:
        """Have the page forget a channel."""
        if self.listed.pop(channel_id, None) is not None:
            self._changed.pop(channel_id, None)
            self._gone.add(channel_id)
            self._wake.set()

    def refresh_soon(self) -> None:
        """Have the session and the list of channels looked at again."""
        self._refresh_at = min(self._refresh_at, self._refreshed_at + REFRESH_PAUSE)
        self._wake.set()

    def must_refresh(self) -> bool:
        """Return whether it is time for that, and begin to wait for the next time."""
        now = asyncio.get_running_loop().time()
        if now < self._refresh_at:
            return False
        self._refreshed_at = now
        self._refresh_at = now + REFRESH_INTERVAL
        return True

    def take(self) -> Update:
        """Return what the page has to be sent."""
        update = Update(
            now=now_ms(), whole=self._whole, channels=list(self._changed.values()), gone=sorted(self._gone)
        )
        self._whole = False
        self._changed.clear()
        self._gone.clear()
        self._wake.clear()
        return update

    async def wait(self) -> None:
        """Wait until there is something to send, or to look at again."""
        rest = self._refresh_at - asyncio.get_running_loop().time()
        try:
            await asyncio.wait_for(self._wake.wait(), max(rest, 0))
        except asyncio.TimeoutError:
            return
