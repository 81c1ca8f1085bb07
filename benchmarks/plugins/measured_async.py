"""The measured plugin, with the awaitable API on asyncio; uvloop where it is installed and not refused."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from measured_sync import select_rows
from timing import MESSAGE, timed, timed_async

from mattermost_plugin import AsyncPlugin, CommandArgs, CommandResponse, Context, FileInfo, Post, sql

if TYPE_CHECKING:
    from mattermost_plugin.files import AsyncReader, AsyncWriter


class MeasuredAsyncPlugin(AsyncPlugin):
    async def message_will_be_posted(self, context: Context, post: Post) -> Post:
        post.message += " (checked)"
        return post

    async def execute_command(self, context: Context, args: CommandArgs) -> CommandResponse:
        """Do something: "/<what> <callers> <nanoseconds> <size>"; answer as `timed` does."""
        what, *numbers = args.command.split()
        callers, duration, size = map(int, numbers)
        if what == "/select_rows":
            return CommandResponse(text=await asyncio.to_thread(self._select_rows, callers, duration, size))
        if what == "/create_posts":

            async def once() -> None:
                await self.api.create_post(
                    Post(user_id=args.user_id, channel_id=args.channel_id, message=MESSAGE)
                )
        else:

            async def once() -> None:
                posts = await self.api.get_posts_for_channel(args.channel_id, 0, size)
                assert len(posts.order) == size
                assert all(post.message for post in posts.posts.values())

        return CommandResponse(text=await timed_async(callers, duration, once))

    def _select_rows(self, callers: int, duration: int, size: int) -> str:
        with sql.connect(self) as connection:
            return timed(callers, duration, partial(select_rows, connection, size))

    async def file_will_be_uploaded(
        self, context: Context, info: FileInfo, file: AsyncReader, output: AsyncWriter
    ) -> FileInfo | None:
        """Read the file, and replace it by itself if its name says so."""
        size = 0
        async for piece in file:
            size += len(piece)
            if info.name == "replace":
                await output.write(piece)
        assert size == info.size
        return info if info.name == "replace" else None


if __name__ == "__main__":
    MeasuredAsyncPlugin.run()
