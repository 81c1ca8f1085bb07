"""Changes and refuses files by their names, and moves files by the API as a slash command asks."""

from __future__ import annotations

import json
import shlex
import shutil
from typing import TYPE_CHECKING

from mattermost_plugin import Command, CommandArgs, CommandResponse, Context, FileInfo, Plugin, Reject
from transfers import Transfers

if TYPE_CHECKING:
    from typing import BinaryIO


class Files(Plugin):
    """What becomes of a file is the first word of its name."""

    def on_activate(self) -> None:
        self.api.register_command(Command(trigger="files", auto_complete=False))

    def file_will_be_uploaded(
        self, context: Context, info: FileInfo, file: BinaryIO, output: BinaryIO
    ) -> FileInfo | Reject | None:
        match info.name.split("-")[0]:
            case "reject":
                return Reject(f"no {file.read(3).decode()} here")
            case "upper":
                output.writelines(line.upper() for line in file)
                info.name = info.name.upper()
                return info
            case "copy":
                shutil.copyfileobj(file, output)
            case "read":
                file.read()
            case "half":
                output.write(file.read(600_000))
                raise OSError("the scanner broke")
            case "raise":
                raise OSError("the scanner broke")
        return None

    def execute_command(self, context: Context, args: CommandArgs) -> CommandResponse:
        _, name, *words = shlex.split(args.command)
        result = getattr(Transfers(self.api, args), name)(*words)
        return CommandResponse(response_type="ephemeral", text=json.dumps(result))


if __name__ == "__main__":
    Files.run()
