"""The asynchronous face of the SDK, with one plain hook among the coroutines."""

from __future__ import annotations

import asyncio
import json
import logging

from mattermost_plugin import (
    AsyncPlugin,
    Command,
    CommandArgs,
    CommandResponse,
    Context,
    NotFound,
    Post,
    Reject,
)

log = logging.getLogger("async-witness")


class AsyncWitness(AsyncPlugin):
    """Overrides hooks with `async def` and one with `def`."""

    async def on_activate(self) -> None:
        await self.api.register_command(Command(trigger="awitness"))
        log.info("Activated")

    async def on_deactivate(self) -> None:
        log.info("Deactivated")

    async def message_will_be_posted(self, context: Context, post: Post) -> Post | Reject | None:
        if post.message.startswith("reject"):
            # The loop goes on meanwhile.
            await asyncio.sleep(0)
            return Reject("no, says the loop")
        return None

    def message_has_been_posted(self, context: Context, post: Post) -> None:
        author = self.blocking_api.get_user(post.user_id)
        log.info("Posted", extra={"post_id": post.id, "author": author.username})

    async def execute_command(self, context: Context, args: CommandArgs) -> CommandResponse:
        keys = [f"parallel-{number}" for number in range(50)]
        await asyncio.gather(*(self.api.kv_set(key, key.encode()) for key in keys))
        values = await asyncio.gather(*(self.api.kv_get(key) for key in keys))
        try:
            await self.api.get_channel_by_name(args.team_id, "no-such-channel", include_deleted=False)
            missing = ""
        except NotFound as error:
            missing = error.id
        result = {"values": [value.decode() for value in values if value is not None], "missing": missing}
        return CommandResponse(response_type="ephemeral", text=json.dumps(result))


if __name__ == "__main__":
    AsyncWitness.run()
