"""Writing a folder as an archive that is the same, byte for byte, whenever and wherever it is written."""

import gzip
import os
import tarfile
import tempfile
from pathlib import Path

__all__ = ["write_archive"]

_EARLIEST = 315532800
"""1980-01-01, before which neither zip nor some tools on the way know time."""


def write_archive(folder: Path, root: str, archive: Path) -> None:
    """Write all below `folder` to the `.tar.gz` at `archive`, under a top folder called `root`.

    The archive appears complete or not at all. Owners, times and the order of files do not depend on the
    machine; times are those of `SOURCE_DATE_EPOCH`, or 1980-01-01.
    """
    moment = int(os.environ.get("SOURCE_DATE_EPOCH", _EARLIEST))
    archive.parent.mkdir(parents=True, exist_ok=True)
    descriptor, scratch = tempfile.mkstemp(dir=archive.parent, prefix=f".{archive.name}.")
    partial = Path(scratch)
    try:
        with (
            os.fdopen(descriptor, "wb") as raw,
            gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=raw, mtime=moment) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
        ):
            _add(tar, folder, root, moment)
            for path in sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).parts):
                _add(tar, path, f"{root}/{path.relative_to(folder).as_posix()}", moment)
        partial.chmod(0o644)
        partial.replace(archive)
    except BaseException:
        partial.unlink()
        raise


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
