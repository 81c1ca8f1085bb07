"""Passes files on as they come, and uploads files that are made while they are sent."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from mattermost_plugin import (
    AsyncPlugin,
    CommandArgs,
    CommandResponse,
    Context,
    FileInfo,
    Plugin,
    UploadSession,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from typing import BinaryIO

    from mattermost_plugin.files import AsyncReader, AsyncWriter

LINES_AT_ONCE = 4096
ASYNCHRONOUS = False


def content(size: int) -> Iterator[bytes]:
    """Yield as many bytes of numbered lines, as the host makes them too."""
    line = 0
    while size:
        piece = (b"%063d\n" % line * LINES_AT_ONCE)[:size]
        yield piece
        size -= len(piece)
        line += 1


class Blocking(Plugin):
    def file_will_be_uploaded(self, ctx: Context, info: FileInfo, file: BinaryIO, output: BinaryIO) -> None:
        shutil.copyfileobj(file, output)

    def execute_command(self, ctx: Context, args: CommandArgs) -> CommandResponse:
        size = int(args.command.split()[1])
        info = self.api.upload_data(UploadSession(), content(size))
        return CommandResponse(text="done" if info and info.size == size else "other")


class Asynchronous(AsyncPlugin):
    async def file_will_be_uploaded(
        self, ctx: Context, info: FileInfo, file: AsyncReader, output: AsyncWriter
    ) -> None:
        async for piece in file:
            await output.write(piece)

    async def execute_command(self, ctx: Context, args: CommandArgs) -> CommandResponse:
        size = int(args.command.split()[1])

        async def pieces() -> AsyncIterator[bytes]:
            for piece in content(size):
                yield piece

        info = await self.api.upload_data(UploadSession(), pieces())
        return CommandResponse(text="done" if info and info.size == size else "other")


if __name__ == "__main__":
    (Asynchronous if ASYNCHRONOUS else Blocking).run()
