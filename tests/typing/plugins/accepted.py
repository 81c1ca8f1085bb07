"""What strict mypy must accept of an author."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from mattermost_plugin import (
    AsyncPlugin,
    CommandArgs,
    CommandResponse,
    Config,
    Context,
    FileInfo,
    NotFound,
    Plugin,
    Post,
    Reject,
    User,
)
from mattermost_plugin.files import AsyncReader, AsyncWriter


@dataclass
class Settings:
    """The settings of the plugin."""

    warn_after: int = 3


class Blocking(Plugin):
    """Plain hooks, one of them asynchronous."""

    def on_activate(self) -> None:
        user: User = self.api.get_user("u")
        names: list[str] = [user.username]
        settings: Settings = self.load_configuration(Settings)
        self.text = f"{names} {settings.warn_after}"

    def message_will_be_posted(self, context: Context, post: Post) -> Post | Reject | None:
        return Reject("no") if post.message == self.text else None

    async def message_has_been_posted(self, context: Context, post: Post) -> None:
        return None

    def user_will_log_in(self, context: Context, user: User) -> Reject | None:
        return None

    def configuration_will_be_saved(self, new_cfg: Config) -> Config | None:
        return new_cfg

    def file_will_be_uploaded(
        self, context: Context, info: FileInfo, file: BinaryIO, output: BinaryIO
    ) -> FileInfo | Reject | None:
        output.write(file.read(10).upper())
        with self.api.open_file(info.id) as opened:
            return self.api.upload_file(opened, info.channel_id, info.name)

    def helper(self) -> int:
        with_timeout = self.api.with_timeout(5.0)
        try:
            return len(with_timeout.kv_get("k") or b"")
        except NotFound as error:
            return error.status_code


class Asynchronous(AsyncPlugin):
    """Asynchronous hooks, one of them plain."""

    async def on_activate(self) -> None:
        user: User = await self.api.get_user("u")
        settings: Settings = await self.load_configuration(Settings)
        self.text = f"{user.username} {settings.warn_after}"

    async def file_will_be_uploaded(
        self, context: Context, info: FileInfo, file: AsyncReader, output: AsyncWriter
    ) -> Reject | None:
        async for piece in file:
            await output.write(piece)
        async with await self.api.open_file(info.id) as opened:
            found: FileInfo = await self.api.upload_file(opened, info.channel_id, info.name)
        return None if found.size else Reject("empty")

    async def execute_command(self, context: Context, args: CommandArgs) -> CommandResponse:
        return CommandResponse(text=args.command)

    def message_will_be_posted(self, context: Context, post: Post) -> Post | None:
        author: User = self.blocking_api.get_user(post.user_id)
        settings: Settings = self.load_configuration_blocking(Settings)
        post.message += f"{author.username} {settings.warn_after}"
        return post


if __name__ == "__main__":
    Blocking.run()
