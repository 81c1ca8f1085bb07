"""The measured plugin, with the awaitable API on asyncio; uvloop where it is installed and not refused."""

import asyncio
import time

from mattermost_plugin import AsyncPlugin, CommandArgs, CommandResponse, Context, Post

MESSAGE = "A message of ordinary length, created by a plugin."


class MeasuredAsyncPlugin(AsyncPlugin):
    async def message_will_be_posted(self, ctx: Context, post: Post) -> Post:
        post.message += " (checked)"
        return post

    async def execute_command(self, ctx: Context, args: CommandArgs) -> CommandResponse:
        """Create posts: "/create_posts <callers> <calls>"; the answer is the time it took in nanoseconds."""
        callers, calls = (int(word) for word in args.command.split()[1:])

        async def create() -> None:
            for _ in range(calls // callers):
                await self.api.create_post(
                    Post(user_id=args.user_id, channel_id=args.channel_id, message=MESSAGE)
                )

        start = time.perf_counter_ns()
        await asyncio.gather(*(create() for _ in range(callers)))
        return CommandResponse(text=str(time.perf_counter_ns() - start))


if __name__ == "__main__":
    MeasuredAsyncPlugin.run()
