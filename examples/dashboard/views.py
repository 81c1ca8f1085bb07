"""What the page is told, as it travels: JSON by pydantic."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

Kind = Literal["post", "edit", "delete", "reaction", "join", "leave"]
"""What can happen in a channel."""

KINDS: tuple[Kind, ...] = ("post", "edit", "delete", "reaction", "join", "leave")


class EventView(BaseModel):
    """Something that happened; times are milliseconds since the Unix epoch.

    `user` is who did it, or whose post it happened to; `text` is empty for what has none to show.
    """

    kind: Kind
    at: int
    user_id: str
    user: str
    post_id: str
    text: str


class ActivityView(BaseModel):
    """What happened in a channel lately.

    `minutes` has, for each minute in which something happened, its number since the Unix epoch and how often
    each of `KINDS` happened in it.
    """

    minutes: list[tuple[int, list[int]]]
    events: list[EventView]


class ChannelView(BaseModel):
    """A channel as one person sees it; `link` is relative to the page."""

    id: str
    name: str
    team: str
    private: bool
    link: str
    last_post_at: int
    activity: ActivityView


class Update(BaseModel):
    """One message to a page.

    With `whole` it replaces everything the page has; otherwise `channels` are those that changed, and `gone`
    are the ids of those that this person may no longer see. `now` is the server's time in milliseconds.
    """

    now: int
    whole: bool
    channels: list[ChannelView]
    gone: list[str]
