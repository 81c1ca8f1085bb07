"""What can be wrong with a plugin that is to be built, told so that its author can mend it.

Exception
└── BuildError: the bundle was not made; carries one or more `Problem`s
"""

import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["BuildError", "Problem", "file_system_problem"]

_REMEDIES = {
    errno.EACCES: "give yourself the right to it",
    errno.EPERM: "give yourself the right to it",
    errno.EROFS: "name a folder that can be written with --output",
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space",
    errno.ELOOP: "remove a link of the loop",
    errno.ENAMETOOLONG: "give it a shorter name",
    errno.EISDIR: "there should be a file",
    errno.ENOTDIR: "there should be a folder",
    errno.EEXIST: "remove it, or choose another name",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing to mend.

    Attributes:
        what: what is wrong.
        file: the file that has it, as the author knows it; empty if no single file has it.
        key: the key in that file, with dots between levels; empty if no single key has it.
        fix: what to write or do instead; empty if `what` says it.
    """

    what: str
    file: str = ""
    key: str = ""
    fix: str = ""

    def __str__(self) -> str:
        where = ": ".join(part for part in (self.file, self.key) if part)
        text = f"{where}: {self.what}" if where else self.what
        return f"{text}; {self.fix}" if self.fix else text


class BuildError(Exception):
    """A bundle could not be made. Nothing was left at the place of the bundle.

    Attributes:
        problems: all that was found, in the order of the files.
    """

    def __init__(self, problems: Problem | Sequence[Problem]) -> None:
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


def file_system_problem(error: OSError) -> Problem:
    """Return what the system says of a file, with what to do about it."""
    files = [os.fsdecode(name) for name in (error.filename, error.filename2) if isinstance(name, str | bytes)]
    what = (error.strerror or str(error) or type(error).__name__).lower()
    return Problem(file=" and ".join(files), what=what, fix=_REMEDIES.get(error.errno or 0, ""))
