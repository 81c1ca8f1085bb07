"""Looks at every file before it is stored: images lose their metadata, some files are refused."""

from __future__ import annotations

import logging
from pathlib import PurePath
from typing import TYPE_CHECKING

import jpeg
import png
from mattermost_plugin import Context, FileInfo, Plugin, Reject
from settings import Settings
from source import Damaged, Source

if TYPE_CHECKING:
    from typing import BinaryIO

log = logging.getLogger("filescan")

# How programs begin: Windows, Linux, macOS (both byte orders, and for several processors).
_PROGRAMS = (b"MZ", b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xfe\xed\xfa\xcf", b"\xca\xfe\xba\xbe")

_CLEANERS = {jpeg.SIGNATURE: jpeg.strip, png.SIGNATURE: png.strip}
_NAMED_AS_IMAGES = frozenset({"jpeg", "jpg", "png"})


class FileScan(Plugin):
    """Whatever goes wrong, a file that was not looked at is not stored (`on_failure` in plugin.json)."""

    def on_configuration_change(self) -> None:
        """Read the settings: at the start, and when the administrator changes them."""
        self.settings = self.load_configuration(Settings)

    def file_will_be_uploaded(
        self, context: Context, info: FileInfo, file: BinaryIO, output: BinaryIO
    ) -> Reject | None:
        """Write the image without metadata to `output`; writing nothing leaves a file as it is."""
        extension = PurePath(info.name).suffix.lstrip(".").lower()
        if extension in self.settings.blocked_extensions:
            return Reject(f"files that end with .{extension} are not allowed")
        source = Source(file)
        beginning = source.look(8)
        if self.settings.block_programs and beginning.startswith(_PROGRAMS):
            return Reject("programs are not allowed")
        strip = next((found for start, found in _CLEANERS.items() if beginning.startswith(start)), None)
        if strip is None:
            named_as_one = extension in _NAMED_AS_IMAGES
            return Reject(f"this is no .{extension} image") if named_as_one else None
        try:
            strip(source, output)
        except Damaged as error:
            return Reject(f"the image is damaged: {error}")
        log.debug("Metadata removed", extra={"file_id": info.id, "file_name": info.name})
        return None


if __name__ == "__main__":
    FileScan.run()
