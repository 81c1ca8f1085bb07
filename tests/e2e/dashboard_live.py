"""What the example `dashboard` tells a person, received without a browser."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import websockets

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.harness import Json, RestClient

__all__ = ["Live", "do", "get_activity", "live_address", "watching"]

KINDS = ("post", "edit", "delete", "reaction", "join", "leave")

PATIENCE = 30.0
"""Seconds to wait for a message; only a failing test waits so long."""


class Live:
    """A page without a browser.

    Attributes:
        told: Everything that came, one message after the other.
        channels: What the page would show, by the channels' ids.
    """

    def __init__(self, connection: websockets.ClientConnection) -> None:
        self._connection = connection
        self.told = ""
        self.channels: dict[str, Json] = {}

    async def receive(self) -> Json:
        """Wait for the next message and do with it what the page does."""
        text = await asyncio.wait_for(self._connection.recv(), PATIENCE)
        assert isinstance(text, str)
        self.told += text
        update: Json = json.loads(text)
        if update["whole"]:
            self.channels.clear()
        for channel in update["channels"]:
            self.channels[channel["id"]] = channel
        for channel_id in update["gone"]:
            self.channels.pop(channel_id, None)
        return update

    async def until(self, condition: Callable[[], bool]) -> None:
        """Receive messages until something is the case."""
        while not condition():
            await self.receive()

    async def until_told(self, channel: Json, kind: str, username: str, text: str) -> None:
        """Receive messages until a channel shows an event."""
        while (kind, username, text) not in self.events(channel):
            await self.receive()

    def shows(self, channel: Json) -> bool:
        return channel["id"] in self.channels

    def events(self, channel: Json) -> list[tuple[str, str, str]]:
        """Return kind, name of the user and text of each event that is shown of a channel."""
        shown = self.channels.get(channel["id"])
        events = shown["activity"]["events"] if shown else []
        return [(event["kind"], event["user"], event["text"]) for event in events]

    def counts(self, channel: Json) -> dict[str, int]:
        """Return how often what happened in a channel in the last hour."""
        minutes = self.channels[channel["id"]]["activity"]["minutes"]
        return {kind: sum(counts[i] for _, counts in minutes) for i, kind in enumerate(KINDS)}


@asynccontextmanager
async def watching(site: str, user: RestClient) -> AsyncIterator[Live]:
    """Connect as a program does, and receive what the page would show at first."""
    headers = {"Authorization": f"Bearer {user.token}"}
    async with websockets.connect(live_address(site), additional_headers=headers, proxy=None) as connection:
        live = Live(connection)
        assert (await live.receive())["whole"]
        yield live


async def do(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a blocking client while the event loop goes on."""
    return await asyncio.to_thread(function, *arguments)


def live_address(site: str) -> str:
    return f"{site.replace('http', 'ws', 1)}live"


def get_activity(site: str, user: RestClient | None) -> httpx.Response:
    """Ask for the same as JSON."""
    headers = {"Authorization": f"Bearer {user.token}"} if user else {}
    return httpx.get(f"{site}api/activity", headers=headers, trust_env=False, timeout=60)
