"""What the tests let the plugin do with files; each method is one, and its result goes back as JSON."""

from __future__ import annotations

import hashlib
import random
import string
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mattermost_plugin import AppError, UploadSession

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mattermost_plugin import API, CommandArgs, FileInfo

MiB = 1 << 20


@dataclass(frozen=True)
class Transfers:
    """One command of a test."""

    api: API
    args: CommandArgs

    def upload(self, name: str, size: str) -> str:
        """Upload a file that is made while it is sent; its id."""
        pieces = (bytes([number % 256]) * min(MiB, int(size)) for number in range(-(-int(size) // MiB)))
        return self.api.upload_file(pieces, self.args.channel_id, name).id

    def digests(self, file_id: str) -> dict[str, str]:
        """What is read of a file in each way that there is, by way."""
        path = self.api.get_file_info(file_id).path
        opened, opened_path = hashlib.sha256(), hashlib.sha256()
        with self.api.open_file(file_id) as file:
            while piece := file.read(100_000):
                opened.update(piece)
        with self.api.open_path(path) as file:
            for line in file:
                opened_path.update(line)
        return {
            "get_file": hashlib.sha256(self.api.get_file(file_id)).hexdigest(),
            "read_file": hashlib.sha256(self.api.read_file(path)).hexdigest(),
            "open_file": opened.hexdigest(),
            "open_path": opened_path.hexdigest(),
        }

    def missing(self, file_id: str) -> list[Any]:
        """Statuses of the errors when a file is not there."""
        return [_error(self.api.get_file, file_id), _error(self.api.open_file, file_id)]

    def cut_short(self, file_id: str) -> list[str]:
        """Stop in the middle of whatever can be stopped; what came of each."""

        def broken() -> Iterator[bytes]:
            for _ in range(4):
                yield bytes(MiB)
            raise ConnectionError("the source broke")

        with self.api.open_file(file_id) as file:
            found = [str(len(file.read(10)))]
        file = self.api.open_file(file_id)
        del file  # and so its transfer ends
        session = UploadSession(
            id="".join(random.choices(string.ascii_lowercase, k=26)),
            type="attachment",
            user_id=self.args.user_id,
            channel_id=self.args.channel_id,
            filename="cut-short.bin",
            file_size=20 * MiB,
        )
        session = self.api.create_upload_session(session)
        found.append(_broken(lambda: self.api.upload_file(broken(), self.args.channel_id, "cut-short.bin")))
        found.append(_broken(lambda: self.api.upload_data(session, broken())))
        found.append(_broken(lambda: self.api.install_plugin(broken(), replace=True)))
        return found

    def resumed(self, name: str) -> dict[str, Any]:
        """Upload 28 MiB by a session: cut off after some, then a part, then the rest."""
        content = random.Random(7).randbytes(28 * MiB)
        session = self.api.create_upload_session(
            UploadSession(
                id="".join(random.choices(string.ascii_lowercase, k=26)),
                type="attachment",
                user_id=self.args.user_id,
                channel_id=self.args.channel_id,
                filename=name,
                file_size=len(content),
            )
        )

        def broken() -> Iterator[bytes]:
            # What is on its way is lost, up to the 12 MiB that the windows hold, and the server needs 5.
            yield content[: 24 * MiB]
            raise ConnectionError("the source broke")

        outcomes = []
        try:
            self.api.upload_data(session, broken())
        except ConnectionError as error:
            outcomes.append(str(error))
        first, part = self._go_on(session.id, content, MiB)
        outcomes.append("part" if part is None else part.id)
        _, info = self._go_on(session.id, content, len(content))
        digest = hashlib.sha256(content).hexdigest()
        file_id = "" if info is None else info.id
        return {"outcomes": outcomes, "first": first, "file_id": file_id, "digest": digest}

    def _go_on(self, session_id: str, content: bytes, size: int) -> tuple[int, FileInfo | None]:
        """Upload the next `size` octets that the server lacks; where they began, and what came of it."""
        end = time.monotonic() + 20
        while True:
            session = self.api.get_upload_session(session_id)
            begin = session.file_offset
            try:
                return begin, self.api.upload_data(session, content[begin : begin + size])
            except AppError as error:
                # The server hears of the end of what was cut off a moment later and takes no more before.
                if error.id != "app.upload.upload_data.concurrent.app_error" or time.monotonic() > end:
                    raise
            time.sleep(0.05)

    def install(self, path: str) -> dict[str, Any]:
        """Install a bundle: cut off by an exception, cut off by its end, and whole; what came of each."""
        bundle = Path(path).read_bytes()

        def broken() -> Iterator[bytes]:
            yield bundle[: len(bundle) // 2]
            raise ConnectionError("the source broke")

        found: dict[str, Any] = {}
        try:
            self.api.install_plugin(broken(), replace=True)
        except ConnectionError as error:
            found["broken"] = str(error)
        try:
            self.api.install_plugin(bundle[: len(bundle) // 2], replace=True)
        except AppError as error:
            found["half"] = error.id
        found["between"] = [manifest.id for manifest in self.api.get_plugins()]
        with Path(path).open("rb") as file:
            found["whole"] = self.api.install_plugin(file, replace=True).id
        return found


def _error(call: Callable[[str], object], file_id: str) -> list[Any]:
    try:
        call(file_id)
    except AppError as error:
        return [type(error).__name__, error.status_code]
    return []


def _broken(call: Callable[[], object]) -> str:
    try:
        call()
    except ConnectionError as error:
        return str(error)
    return "not broken"
