"""Writing a folder as an archive that is the same, byte for byte, whenever and wherever it is written."""

import gzip
import os
import re
import secrets
import tarfile
from contextlib import suppress
from pathlib import Path

from mattermost_plugin.cli._problems import BuildError, Problem

__all__ = ["write_archive"]

_EARLIEST = 315532800
"""1980-01-01, before which neither zip nor some tools on the way know time."""
_LATEST = 2**32 - 1
"""The last that gzip can store."""


def write_archive(folder: Path, root: str, archive: Path) -> None:
    """Write all below `folder` to the `.tar.gz` at `archive`, under a top folder called `root`.

    The archive appears complete or not at all. Owners, times and the order of files do not depend on the
    machine; times are those of `SOURCE_DATE_EPOCH`, or 1980-01-01.

    Raises:
        BuildError: `SOURCE_DATE_EPOCH` is no time.
        OSError: a file cannot be read or written.
    """
    moment = _moment()
    made = not archive.parent.exists()
    archive.parent.mkdir(parents=True, exist_ok=True)
    # The name is known before the file exists, so that an interrupt at any point finds it to remove.
    partial = archive.parent / f".mattermost-plugin-{secrets.token_hex(8)}"
    try:
        with (
            partial.open("xb") as raw,
            gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=raw, mtime=moment) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
        ):
            _add(tar, folder, root, moment)
            for path in sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).parts):
                _add(tar, path, f"{root}/{path.relative_to(folder).as_posix()}", moment)
        partial.chmod(0o644)
        partial.replace(archive)
    except BaseException:
        partial.unlink(missing_ok=True)
        if made:
            with suppress(OSError):  # something else is in it meanwhile
                archive.parent.rmdir()
        raise


def _moment() -> int:
    text = os.environ.get("SOURCE_DATE_EPOCH", str(_EARLIEST))
    if not re.fullmatch(r"[0-9]{1,10}", text) or int(text) > _LATEST:
        what = f"{text!r} is not a number of seconds from 0 to {_LATEST}"
        raise BuildError(Problem(key="SOURCE_DATE_EPOCH", what=what, fix="set it to one, or unset it"))
    return int(text)


def _add(tar: tarfile.TarFile, path: Path, name: str, moment: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.mtime = moment
    if path.is_dir():
        entry.type = tarfile.DIRTYPE
        entry.mode = 0o755
        tar.addfile(entry)
        return
    status = path.stat()
    entry.size = status.st_size
    entry.mode = 0o755 if status.st_mode & 0o100 else 0o644
    with path.open("rb") as content:
        tar.addfile(entry, content)
