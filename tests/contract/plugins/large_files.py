"""Passes files on as they come, sends files that are made meanwhile, and adds up those it reads."""

from __future__ import annotations

import shutil
import zlib
from typing import TYPE_CHECKING

from mattermost_plugin import (
    AsyncPlugin,
    CommandArgs,
    CommandResponse,
    Context,
    FileData,
    FileInfo,
    Plugin,
    UploadSession,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from typing import BinaryIO

    from mattermost_plugin.files import AsyncReader, AsyncWriter

LINES_AT_ONCE = 4096
PIECE = 1 << 20

# What comes in one piece comes when all of it is there.
SECONDS = 600
SUPPORT_DATA = 64 << 20
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
    def file_will_be_uploaded(
        self, context: Context, info: FileInfo, file: BinaryIO, output: BinaryIO
    ) -> None:
        shutil.copyfileobj(file, output)

    def generate_support_data(self, context: Context) -> list[FileData]:
        return [FileData(filename="large", body=b"".join(content(SUPPORT_DATA)))]

    def execute_command(self, context: Context, args: CommandArgs) -> CommandResponse:
        method, size = args.command.split()
        return CommandResponse(text=str(self.move(method[1:], int(size))))

    def move(self, method: str, size: int) -> object:
        """Move a file by a method; what the server saw of it, or the sum of what was read."""
        api = self.api.with_timeout(SECONDS)
        match method:
            case "UploadData":
                return size_of(api.upload_data(UploadSession(), content(size)))
            case "ReceiveSharedChannelAttachmentSyncMsg":
                return size_of(
                    api.receive_shared_channel_attachment_sync_msg("r", "c", FileInfo(), content(size))
                )
            case "InstallPlugin":
                return api.install_plugin(content(size), replace=True).id
            case "UploadFile":
                return api.upload_file(content(size), "c", "name").size
            case "KVSet":
                api.kv_set("key", b"".join(content(size)))
                return size
            case "KVGet":
                return zlib.crc32(api.kv_get(str(size)) or b"")
        found = 0
        with api.open_file(str(size)) if method == "GetFile" else api.open_path(str(size)) as file:
            while piece := file.read(PIECE):
                found = zlib.crc32(piece, found)
        return found


class Asynchronous(AsyncPlugin):
    async def file_will_be_uploaded(
        self, context: Context, info: FileInfo, file: AsyncReader, output: AsyncWriter
    ) -> None:
        async for piece in file:
            await output.write(piece)

    async def generate_support_data(self, context: Context) -> list[FileData]:
        return [FileData(filename="large", body=b"".join(content(SUPPORT_DATA)))]

    async def execute_command(self, context: Context, args: CommandArgs) -> CommandResponse:
        method, size = args.command.split()
        return CommandResponse(text=str(await self.move(method[1:], int(size))))

    async def move(self, method: str, size: int) -> object:
        api = self.api.with_timeout(SECONDS)

        async def pieces() -> AsyncIterator[bytes]:
            for piece in content(size):
                yield piece

        match method:
            case "UploadData":
                return size_of(await api.upload_data(UploadSession(), pieces()))
            case "ReceiveSharedChannelAttachmentSyncMsg":
                return size_of(
                    await api.receive_shared_channel_attachment_sync_msg("r", "c", FileInfo(), pieces())
                )
            case "InstallPlugin":
                return (await api.install_plugin(pieces(), replace=True)).id
            case "UploadFile":
                return (await api.upload_file(pieces(), "c", "name")).size
            case "KVSet":
                await api.kv_set("key", b"".join(content(size)))
                return size
            case "KVGet":
                return zlib.crc32(await api.kv_get(str(size)) or b"")
        found = 0
        opened = await (api.open_file(str(size)) if method == "GetFile" else api.open_path(str(size)))
        async with opened as file:
            async for piece in file:
                found = zlib.crc32(piece, found)
        return found


def size_of(info: FileInfo | None) -> int:
    return -1 if info is None else info.size


if __name__ == "__main__":
    (Asynchronous if ASYNCHRONOUS else Blocking).run()
