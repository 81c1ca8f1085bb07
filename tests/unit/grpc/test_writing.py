"""What an event loop writes together: a few messages at a time."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mattermost_plugin._grpc import Handler, Kind, aio

if TYPE_CHECKING:
    from typing_extensions import Self

PATH = "/test.Service/Call"
CALLS = 12


class Listening:
    """A transport of the loop that remembers which messages were written together."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self.written: list[list[bytes]] = []

    def write(self, data: bytes) -> None:
        found = re.findall(rb"message-\d\d", data)
        if found:
            self.written.append(found)
        self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class Pair:
    """A server that answers when it may, and a client, on one loop."""

    def __init__(self, directory: Path) -> None:
        self.go_on = asyncio.Event()
        self._waiting: list[bytes] = []
        self._expected = 0
        self._all_wait = asyncio.Event()
        self._server = aio.Server({PATH: Handler(Kind.UNARY_UNARY, self._answer, bytes, bytes)})
        path = self._server.listen_unix(str(directory / "socket"))
        self._channel = aio.Channel(f"unix:{path}")
        self.call = self._channel.unary_unary(PATH, bytes, bytes)

    async def _answer(self, request: bytes, _call: Any) -> bytes:
        self._waiting.append(request)
        if len(self._waiting) == self._expected:
            self._all_wait.set()
        await self.go_on.wait()
        return request

    async def __aenter__(self) -> Self:
        await self._server.start()
        self.go_on.set()
        await self.call(b"the connection is there afterwards")
        self.go_on.clear()
        self._waiting.clear()
        client = self._channel.ready_transport()
        assert client is not None
        (server,) = self._server.connections
        self.requests: Any = Listening(client.transport)
        self.answers: Any = Listening(server.transport)
        client.transport, server.transport = self.requests, self.answers
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._channel.close()
        await self._server.stop()

    async def calls(self, count: int) -> list[bytes]:
        """Make so many calls at once, all of which are answered in one turn of the loop."""
        self._expected = count
        messages = [b"message-%02d" % number for number in range(count)]
        tasks = [asyncio.ensure_future(self.call(message)) for message in messages]
        await self._all_wait.wait()
        self.go_on.set()
        assert await asyncio.gather(*tasks) == messages
        return messages


@pytest.mark.parametrize(
    ("side", "sizes"),
    # The first request finds no other call under way, and is written at once.
    [("requests", [1, 5, 5, 1]), ("answers", [5, 5, 2])],
)
async def test_of_many_messages_the_first_are_written_while_the_last_are_made(
    tmp_path: Path, side: str, sizes: list[int]
) -> None:
    async with Pair(tmp_path) as pair:
        messages = await pair.calls(CALLS)
        written: list[list[bytes]] = getattr(pair, side).written
    assert [message for together in written for message in together] == messages
    assert [len(together) for together in written] == sizes


@pytest.mark.parametrize(("side", "sizes"), [("requests", [1, 3]), ("answers", [4])])
async def test_a_few_messages_of_one_turn_are_written_together(
    tmp_path: Path, side: str, sizes: list[int]
) -> None:
    async with Pair(tmp_path) as pair:
        await pair.calls(4)
        written: list[list[bytes]] = getattr(pair, side).written
    assert [len(together) for together in written] == sizes
