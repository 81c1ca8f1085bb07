"""Reading `requirements.txt` and the files that it includes, as pip would, from wherever the build runs."""

import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from packaging.utils import canonicalize_name

from mattermost_plugin.cli._problems import BuildError, Problem
from mattermost_plugin.cli._text_files import byte_order_mark

__all__ = ["RequirementsFile", "read_requirements"]

_CODING = re.compile(rb"#.*?coding[:=]\s*([-\w.]+)")
_COMMENT = re.compile(r"(^|\s+)#.*$")
_INCLUDE = re.compile(r"(-r|--requirement|-c|--constraint|-f|--find-links)(?:\s*=\s*|\s+|(?<=^-[rcf]))(.+)")
_EDITABLE = re.compile(r"(-e|--editable)(=|\s|$)")
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
_PATH = re.compile(r"[^\s;\[]+")
_NAME = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(\[[^\]]*\])?")


@dataclass(slots=True)
class RequirementsFile:
    """A requirements file with all that it includes.

    Attributes:
        path: the file.
        lines: the lines of it and of those it includes with `-r`, without comments, with paths that start in
            the folder of `path`.
        constraints: the lines of what it includes with `-c`.
        altered: whether a line means something else in `path`, which pip reads from the plugin's folder.
    """

    path: Path
    lines: list[str] = field(default_factory=list)
    constraints: list[str] = field(default_factory=list)
    altered: bool = False

    @property
    def hashed(self) -> bool:
        """Whether pip will want a hash of everything."""
        return any(re.search(r"(^|\s)--(hash|require-hashes)\b", line) for line in self.lines)

    def without(self, distribution: str) -> "tuple[RequirementsFile, str]":
        """Return the same without the lines for `distribution`, and the extras that these ask for."""
        extras = ""
        kept = []
        for line in self.lines:
            name = _NAME.match(line)
            if name and canonicalize_name(name[1]) == distribution:
                extras += name[2] or ""
            else:
                kept.append(line)
        constraints = [
            line
            for line in self.constraints
            if not ((name := _NAME.match(line)) and canonicalize_name(name[1]) == distribution)
        ]
        return RequirementsFile(self.path, kept, constraints, altered=True), extras.replace("][", ",")


def read_requirements(path: Path) -> RequirementsFile:
    """Read the requirements file at `path`, which is in the plugin's folder.

    Raises:
        BuildError: one of the files is not there, is no text, includes itself, or asks for an installation
            that cannot be part of a bundle.
        OSError: one cannot be read.
    """
    found = RequirementsFile(path)
    _read(path, found, found.lines, ())
    return found


def _read(path: Path, found: RequirementsFile, into: list[str], including: tuple[Path, ...]) -> None:
    for number, line in _logical_lines(_decode(path, found.path)):
        where = f"{_shown(path, found.path)}:{number}"
        if _EDITABLE.match(line):
            what = f"{line!r} would only point to files of this machine"
            raise BuildError(Problem(file=where, what=what, fix="write it without -e"))
        include = _INCLUDE.fullmatch(line)
        if include is None:
            into.append(_from_anywhere(line, path, found))
            continue
        option, target = include[1].lstrip("-")[0], _value(include[2], where)
        if urlsplit(target).scheme in ("http", "https", "file"):
            into.append(line)
        elif option == "f":
            near = path.parent / target
            into.append(f"--find-links {near.absolute().as_uri()}" if near.exists() else line)
        else:
            included = path.parent / target
            if not included.is_file():
                what = f"there is no file {target!r} beside {path.name}"
                raise BuildError(Problem(file=where, what=what, fix="mend the path, or add the file"))
            real = Path(os.path.realpath(included))
            if real in (*including, Path(os.path.realpath(path))):
                raise BuildError(Problem(file=where, what=f"{target} includes itself", fix="remove the line"))
            inner = found.lines if option == "r" else found.constraints
            _read(included, found, inner, (*including, Path(os.path.realpath(path))))


def _decode(path: Path, first: Path) -> str:
    """Decode a file as pip does, save that the machine's locale has no say."""
    content = path.read_bytes()
    mark, encoding = byte_order_mark(content)
    if not mark:
        for line in content.split(b"\n")[:2]:
            if line.startswith(b"#") and (named := _CODING.search(line)):
                encoding = named[1].decode("ascii")
    name = _shown(path, first)
    fix = "save the file as UTF-8"
    try:
        text = content[len(mark) :].decode(encoding)
    except (UnicodeError, LookupError):
        raise BuildError(Problem(file=name, what=f"not {encoding.upper()} text", fix=fix)) from None
    if "\0" in text:
        raise BuildError(Problem(file=name, what="UTF-16 without a byte order mark, or not text", fix=fix))
    return text


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that say something, with the number of each one's first."""
    start, parts = 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        start = start if parts else number
        bare = _COMMENT.sub("", line)
        if bare.endswith("\\"):
            parts += bare[:-1] + " "
            continue
        if whole := (parts + bare).strip():
            yield start, whole
        parts = ""
    if parts.strip():
        yield start, parts.strip()


def _value(text: str, where: str) -> str:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise BuildError(
            Problem(file=where, what=f"cannot be read: {error}", fix="close the quotes")
        ) from None
    value = words[0] if words else ""
    return _VARIABLE.sub(lambda name: os.environ.get(name[1], name[0]), value)


def _from_anywhere(line: str, path: Path, found: RequirementsFile) -> str:
    """Return a line of an included file with a path that starts in the folder of the first one.

    Paths in `requirements.txt` itself start in the plugin's folder, where pip runs.
    """
    named = _PATH.match(line)
    folder = found.path.parent
    if path.parent == folder or named is None or line.startswith("-") or "://" in named[0]:
        return line
    near = path.parent / named[0]
    if "/" not in named[0] and near.suffix not in (".whl", ".gz", ".zip"):
        return line
    if (folder / named[0]).exists() or not near.exists():
        return line
    found.altered = True
    # Relative to where pip runs: it takes brackets in an absolute path for extras.
    return f"./{os.path.relpath(near, folder)}{line[named.end() :]}"


def _shown(path: Path, first: Path) -> str:
    relative = os.path.relpath(path, first.parent)
    return str(path) if relative.startswith("..") else relative
