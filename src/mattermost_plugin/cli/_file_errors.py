"""Telling errors of the file system so that a person can act on them."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mattermost_plugin.cli._problems import BuildError, Problem

__all__ = ["file_errors"]

_FIXES = {
    errno.EACCES: "give yourself access to it, or leave it out of the plugin's folder",
    errno.EPERM: "give yourself access to it, or leave it out of the plugin's folder",
    errno.ENOSPC: "make room, or set TMPDIR or --output to a folder elsewhere",
    errno.EDQUOT: "make room, or set TMPDIR or --output to a folder elsewhere",
    errno.EROFS: "set TMPDIR or --output to a folder that can be written",
    errno.ENAMETOOLONG: "take a shorter name",
    errno.ELOOP: "remove the link that leads back to itself",
    errno.ENOTDIR: "move the file away that is where a folder has to be",
    errno.EEXIST: "move away what is there",
    errno.EISDIR: "move the folder away that is where a file has to be",
    errno.ENOENT: "see whether something removes files while the command runs",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
}


@contextmanager
def file_errors(directory: Path) -> Iterator[None]:
    """Raise errors of the file system as `BuildError`, with the file as seen from `directory`.

    Raises:
        BuildError: something inside the `with` raised OSError.
    """
    try:
        yield
    except OSError as error:
        fix = _FIXES.get(error.errno or 0, "")
        what = error.strerror or str(error)
        raise BuildError(Problem(file=_shown(error, directory), what=what, fix=fix)) from error


def _shown(error: OSError, directory: Path) -> str:
    if not isinstance(error.filename, (str, bytes)):
        return ""
    path = Path(os.fsdecode(error.filename))
    root = directory.absolute()
    if path.absolute() == root or not path.absolute().is_relative_to(root):
        return str(path)
    return str(path.absolute().relative_to(root))
