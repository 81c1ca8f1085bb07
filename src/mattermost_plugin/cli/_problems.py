"""What can be wrong with a plugin that is to be built, told so that its author can mend it.

Exception
└── BuildError: the bundle was not made; carries one or more `Problem`s
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["BuildError", "Problem"]


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
        return _one_line(f"{text}; {self.fix}" if self.fix else text)


def _one_line(text: str) -> str:
    """Put what names of files and other programs' messages bring into one line that a terminal can show."""
    shown = re.sub(r"\s*[\x00-\x1f\x7f-\x9f\u2028\u2029]+\s*", " ", text).strip()
    return shown.encode(errors="backslashreplace").decode()


class BuildError(Exception):
    """A bundle could not be made. Nothing was left at the place of the bundle.

    Attributes:
        problems: all that was found, in the order of the files.
    """

    def __init__(self, problems: Problem | Sequence[Problem]) -> None:
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))
