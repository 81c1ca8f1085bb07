"""Reading a requirements file in the encodings that pip reads."""

import codecs
import re
from pathlib import Path

from mattermost_plugin.cli._problems import BuildError, Problem

__all__ = ["read_requirements"]

# The longer marks first: that of UTF-32 begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CODING = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")


def read_requirements(path: Path) -> str:
    """Return the text of a requirements file, by its byte order mark or its `coding` comment, else UTF-8.

    Raises:
        BuildError: It is in another encoding.
        OSError: It cannot be read.
    """
    data = path.read_bytes()
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "")
    if not encoding:
        named = (found[1].decode("ascii") for line in data.split(b"\n")[:2] if (found := _CODING.match(line)))
        encoding = next(named, "utf-8")
    try:
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        what = f"cannot be read as {encoding}: {error}"
        raise BuildError(Problem(file=path.name, what=what, fix="save it as UTF-8")) from None
