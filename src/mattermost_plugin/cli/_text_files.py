"""Reading text files as people and their tools write them."""

import codecs
from pathlib import Path

from mattermost_plugin.cli._problems import BuildError, Problem

__all__ = ["byte_order_mark", "read_text"]

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def byte_order_mark(content: bytes) -> tuple[bytes, str]:
    """Return the byte order mark that `content` begins with and the encoding it stands for; UTF-8 without."""
    return next((entry for entry in _MARKS if content.startswith(entry[0])), (b"", "utf-8"))


def read_text(path: Path, name: str) -> str:
    """Read the file at `path`: UTF-8, or what its byte order mark says.

    Args:
        path: the file.
        name: the file as its author knows it, for errors.

    Raises:
        BuildError: it is in another encoding, or a pipe or a device, which might never end.
        OSError: it cannot be read.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise BuildError(Problem(file=name, what="is not a regular file", fix="put the file itself there"))
    content = path.read_bytes()
    mark, encoding = byte_order_mark(content)
    try:
        return content[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        what = f"not {encoding.upper()} text at line {line}"
        raise BuildError(Problem(file=name, what=what, fix="save the file as UTF-8")) from error
