"""Does on asyncio with files what the plugin `files` does on threads."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import string
from typing import TYPE_CHECKING

from mattermost_plugin import (
    AsyncPlugin,
    Command,
    CommandArgs,
    CommandResponse,
    Context,
    FileInfo,
    Reject,
    UploadSession,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable

    from mattermost_plugin.files import AsyncReader, AsyncWriter


class AsyncFiles(AsyncPlugin):
    """What becomes of a file is the first word of its name."""

    async def on_activate(self) -> None:
        await self.api.register_command(Command(trigger="files", auto_complete=False))

    async def file_will_be_uploaded(
        self, context: Context, info: FileInfo, file: AsyncReader, output: AsyncWriter
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
            case "hang":
                if "write" in info.name:
                    await output.write(await file.read(600_000))
                await asyncio.sleep(3600)
        return None

    async def execute_command(self, context: Context, args: CommandArgs) -> CommandResponse:
        """Upload a file and read it again; its id and digests of what was read."""
        _, name, size = args.command.split()
        if name == "cut_short":
            return CommandResponse(text=json.dumps(await self.cut_short(args, size)))

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

    async def cut_short(self, args: CommandArgs, file_id: str) -> list[str]:
        """Stop in the middle of whatever can be stopped; what came of each."""

        async def broken() -> AsyncIterator[bytes]:
            for _ in range(4):
                yield bytes(1 << 20)
            raise ConnectionError("the source broke")

        async with await self.api.open_file(file_id) as file:
            found = [str(len(await file.read(10)))]
        file = await self.api.open_file(file_id)
        del file  # and so its transfer ends
        session = UploadSession(
            id="".join(random.choices(string.ascii_lowercase, k=26)),
            type="attachment",
            user_id=args.user_id,
            channel_id=args.channel_id,
            filename="cut-short.bin",
            file_size=20 << 20,
        )
        session = await self.api.create_upload_session(session)
        found.append(await _broken(self.api.upload_file(broken(), args.channel_id, "cut-short.bin")))
        found.append(await _broken(self.api.upload_data(session, broken())))
        found.append(await _broken(self.api.install_plugin(broken(), replace=True)))
        return found


async def _broken(call: Awaitable[object]) -> str:
    try:
        await call
    except ConnectionError as error:
        return str(error)
    return "not broken"


if __name__ == "__main__":
    AsyncFiles.run()
