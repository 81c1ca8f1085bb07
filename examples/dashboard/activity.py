"""What happened in the channels during the last hour, in bounded memory."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from views import KINDS, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

MINUTE = 60_000
"""Milliseconds."""

WINDOW = 60
"""Minutes that are counted."""

NEWEST = 20
"""Events of a channel that are kept."""

MAX_CHANNELS = 2000
"""Channels that are kept: those in which something happened last."""


def now_ms() -> int:
    """Return the time as Mattermost writes it, in milliseconds since the Unix epoch."""
    return time.time_ns() // 1_000_000


@dataclass
class Event:
    """Something that happened.

    Attributes:
        kind: What it was.
        at: When, in milliseconds since the Unix epoch.
        user_id: Who did it, or whose post it happened to.
        post_id: The post it is about; empty for joins and leaves.
        root_id: The post that one replies to; empty for others.
        text: What is shown of it.
    """

    kind: Kind
    at: int
    user_id: str
    post_id: str = ""
    root_id: str = ""
    text: str = ""


class ChannelActivity:
    """What happened in one channel.

    Attributes:
        events: The newest events, oldest first.
        changes: How many events were recorded; who read the events can tell by it whether there are others.
        has_history: Whether what happened before this object was made has been added.
    """

    def __init__(self) -> None:
        self.changes = 0
        self.has_history = False
        self.events: deque[Event] = deque(maxlen=NEWEST)
        self._since = now_ms()
        self._minutes: dict[int, list[int]] = {}

    def record(self, event: Event) -> None:
        """Add what has just happened."""
        if event.kind == "post" and self._has_post(event.post_id):
            return  # the history was read between the post and its hook
        self.changes += 1
        self._take_back(event)
        self.events.append(event)
        self._count(event)

    def add_history(self, posts: Iterable[Event]) -> None:
        """Add posts that were written before the first event was recorded."""
        self.has_history = True
        earlier = [post for post in posts if post.at < self._since and not self._has_post(post.post_id)]
        for post in earlier:
            self._count(post)
        self.events = deque(sorted([*earlier, *self.events], key=lambda event: event.at), maxlen=NEWEST)
        for event in self.events:
            self._take_back(event)

    def minutes(self) -> list[tuple[int, list[int]]]:
        """Return each minute of the last hour with events, and how many there were of each of `KINDS`."""
        oldest = now_ms() // MINUTE - WINDOW
        return [(minute, list(counts)) for minute, counts in self._minutes.items() if minute > oldest]

    def _has_post(self, post_id: str) -> bool:
        return any(known.kind == "post" and known.post_id == post_id for known in self.events)

    def _take_back(self, event: Event) -> None:
        """Forget what a deleted post said, and replies to it, or what an edited one said before."""
        for known in self.events:
            if event.kind == "delete" and event.post_id in (known.post_id, known.root_id):
                known.text = ""
            if event.kind == "edit" and event.post_id == known.post_id and known.kind != "reaction":
                known.text = event.text

    def _count(self, event: Event) -> None:
        now = now_ms()
        oldest = now // MINUTE - WINDOW
        # Some may give their posts any time they like.
        minute = min(event.at, now) // MINUTE
        if minute <= oldest:
            return
        if minute not in self._minutes:
            self._minutes = {past: counts for past, counts in self._minutes.items() if past > oldest}
            self._minutes[minute] = [0] * len(KINDS)
        self._minutes[minute][KINDS.index(event.kind)] += 1


class Activity:
    """What happened in each channel; those in which nothing happened for the longest time are forgotten."""

    def __init__(self) -> None:
        self._channels: OrderedDict[str, ChannelActivity] = OrderedDict()

    def __len__(self) -> int:
        return len(self._channels)

    def get(self, channel_id: str) -> ChannelActivity | None:
        """Return what happened in a channel; None: nothing that is known."""
        return self._channels.get(channel_id)

    def of(self, channel_id: str) -> ChannelActivity:
        """Return what happened in a channel, from now on if nothing is known of it."""
        channel = self._channels.setdefault(channel_id, ChannelActivity())
        self._channels.move_to_end(channel_id)
        if len(self._channels) > MAX_CHANNELS:
            self._channels.popitem(last=False)
        return channel
