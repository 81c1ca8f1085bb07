"""The measured plugin, with the blocking API on threads. In Go: go/internal/benchmark/measured."""

from __future__ import annotations

from functools import partial
from typing import BinaryIO

from timing import MESSAGE, timed

from mattermost_plugin import CommandArgs, CommandResponse, Context, FileInfo, Plugin, Post, sql

# Two numbers, two texts, a truth.
QUERY = "SELECT n, n * 3, 'user' || n, md5(n::text), n & 1 = 0 FROM generate_series(1, %s) AS n"


class MeasuredPlugin(Plugin):
    def message_will_be_posted(self, context: Context, post: Post) -> Post:
        post.message += " (checked)"
        return post

    def execute_command(self, context: Context, args: CommandArgs) -> CommandResponse:
        """Do something: "/<what> <callers> <nanoseconds> <size>"; answer as `timed` does."""
        what, *numbers = args.command.split()
        callers, duration, size = map(int, numbers)
        if what == "/select_rows":
            with sql.connect(self) as connection:
                return CommandResponse(text=timed(callers, duration, partial(select_rows, connection, size)))
        if what == "/create_posts":

            def once() -> None:
                self.api.create_post(Post(user_id=args.user_id, channel_id=args.channel_id, message=MESSAGE))
        else:

            def once() -> None:
                posts = self.api.get_posts_for_channel(args.channel_id, 0, size)
                assert len(posts.order) == size
                assert all(post.message for post in posts.posts.values())

        return CommandResponse(text=timed(callers, duration, once))

    def file_will_be_uploaded(
        self, context: Context, info: FileInfo, file: BinaryIO, output: BinaryIO
    ) -> FileInfo | None:
        """Read the file, and replace it by itself if its name says so."""
        size = 0
        while piece := file.read(256 * 1024):
            size += len(piece)
            if info.name == "replace":
                output.write(piece)
        assert size == info.size
        return info if info.name == "replace" else None


def select_rows(connection: sql.Connection, size: int) -> None:
    seen = 0
    for _number, _triple, _user, _digest, _even in connection.execute(QUERY, (size,)):
        seen += 1
    assert seen == size


if __name__ == "__main__":
    MeasuredPlugin.run()
