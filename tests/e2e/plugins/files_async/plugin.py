"""Does on asyncio with files what the plugin `files` does on threads."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from mattermost_plugin import (
    AsyncPlugin,
    Command,
    CommandArgs,
    CommandResponse,
    Context,
    FileInfo,
    Reject,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from mattermost_plugin.files import AsyncReader, AsyncWriter


class AsyncFiles(AsyncPlugin):
    """What becomes of a file is the first word of its name."""

    async def on_activate(self) -> None:
        await self.api.register_command(Command(trigger="files", auto_complete=False))

    async def file_will_be_uploaded(
        self, ctx: Context, info: FileInfo, file: AsyncReader, output: AsyncWriter
    ) -> FileInfo | Reject | None:
        match info.name.split("-")[0]:
            case "reject":
                return Reject(f"no {(await file.read(3)).decode()} here")
            case "upper":
                async for piece in file:
                    await output.write(piece.upper())
                info.name = info.name.upper()
                return info
            case "copy":
                await output.writelines(file)
            case "read":
                await file.read()
            case "half":
                await output.write(await file.read(600_000))
                raise OSError("the scanner broke")
            case "raise":
                raise OSError("the scanner broke")
        return None

    async def execute_command(self, ctx: Context, args: CommandArgs) -> CommandResponse:
        """Upload a file and read it again; its id and digests of what was read."""
        _, name, size = args.command.split()

        async def pieces() -> AsyncIterator[bytes]:
            for number in range(int(size)):
                yield bytes([number % 256]) * 1000

        info = await self.api.upload_file(pieces(), args.channel_id, name)
        digest = hashlib.sha256()
        async with await self.api.open_file(info.id) as file:
            async for piece in file:
                digest.update(piece)
        whole = hashlib.sha256(await self.api.get_file(info.id))
        return CommandResponse(text=f"{info.id} {digest.hexdigest()} {whole.hexdigest()}")


if __name__ == "__main__":
    AsyncFiles.run()
