"""A plugin on asyncio that tells what it was asked, so that nothing can be mixed up unseen."""

from __future__ import annotations

import hashlib
import logging
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from mattermost_plugin import AsyncPlugin, Command, CommandArgs, CommandResponse, Context, Post

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

log = logging.getLogger("torture")
RECORD = Path(os.environ["MATTERMOST_PLUGIN_BUNDLE"]).parents[1] / "torture-asyncio.record"


async def application(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """Answer with what was asked, who asked, and which process this is; or with the digest of the body."""
    if scope["type"] == "websocket":
        await echo(receive, send)
        return
    if scope["type"] != "http":
        return
    path = scope["path"].removeprefix(scope["root_path"])
    name, _, rest = path.strip("/").partition("/")
    if name == "digest":
        digest, more = hashlib.sha256(), True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            digest.update(message.get("body", b""))
            more = message.get("more_body", False)
        text = digest.hexdigest()
    elif name == "allocate":
        text = str(len(bytearray(int(rest) << 20)))
    else:
        user = dict(scope["headers"]).get(b"mattermost-user-id", b"").decode()
        text = f"{rest} {user} {os.getpid()}"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": text.encode()})


async def echo(
    receive: Callable[[], Awaitable[dict[str, Any]]], send: Callable[[dict[str, Any]], Awaitable[None]]
) -> None:
    """Send every message of a WebSocket back."""
    while (message := await receive())["type"] != "websocket.disconnect":
        if message["type"] == "websocket.connect":
            await send({"type": "websocket.accept"})
        else:
            await send({"type": "websocket.send", "text": message["text"]})


class Torture(AsyncPlugin):
    """Answers what it was asked with the number it was asked with."""

    http = application

    async def on_activate(self) -> None:
        self._record = os.open(RECORD, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        await self.api.register_command(Command(trigger="torture-asyncio", auto_complete=True))

    async def message_will_be_posted(self, context: Context, post: Post) -> Post | None:
        if post.type:
            return None  # the server's own
        user, number, _ = post.message.split(maxsplit=2)
        key = f"{user} {number}"
        await self.api.kv_set(key, number.encode())
        stored = await self.api.kv_get(key)
        await self.api.kv_delete(key)
        post.props = {**post.props, "torture-asyncio": f"{user} {(stored or b'').decode()}"}
        return post

    async def message_has_been_posted(self, context: Context, post: Post) -> None:
        if post.type:
            return
        user, number, _ = post.message.split(maxsplit=2)
        os.write(self._record, f"{user} {number}\n".encode())

    async def execute_command(self, context: Context, args: CommandArgs) -> CommandResponse:
        _, name, number = args.command.split()
        if name == "block":
            time.sleep(float(number))  # noqa: ASYNC251 - what blocks the loop is what is tried
        elif name == "flood":
            for line in range(int(number)):
                log.info("A line of a flood", extra={"line": line})
        return CommandResponse(response_type="ephemeral", text=f"{name} {number}")


if __name__ == "__main__":
    Torture.run()
