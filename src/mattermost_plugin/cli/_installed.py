"""Reading what pip installed into a folder."""

import csv
import re
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path, PurePosixPath

from packaging.requirements import InvalidRequirement, Requirement
from packaging.tags import parse_tag
from packaging.utils import canonicalize_name

from mattermost_plugin.cli._problems import BuildError, Problem

__all__ = ["Installed", "read_installed"]

_ABOUT_THE_INSTALLATION = ("RECORD", "direct_url.json", "INSTALLER", "REQUESTED")
"""Files that tell of the machine and the moment of the installation, not of the distribution."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """One distribution.

    Attributes:
        name: its name, in the normalised form.
        version: its version.
        root: the folder that it is installed in.
        files: its modules, programs and data, relative to `root`, without headers, bytecode, notes on the
            installation and the programs that pip makes from entry points.
        requires: what it requires.
        pure: whether it runs on any platform and Python.
        interpreter_bound: whether it has code compiled for one release of Python only.
    """

    name: str
    version: str
    root: Path
    files: tuple[PurePosixPath, ...]
    requires: tuple[Requirement, ...]
    pure: bool
    interpreter_bound: bool


def read_installed(root: Path) -> list[Installed]:
    """List the distributions that pip installed into the folder `root`, by name."""
    found = [_read(root, info) for info in root.glob("*.dist-info")]
    return sorted(found, key=lambda distribution: distribution.name)


def _read(root: Path, info: Path) -> Installed:
    about = _headers(info / "METADATA")
    tags = [tag for text in _headers(info / "WHEEL").get_all("Tag", []) for tag in parse_tag(text)]
    with (info / "RECORD").open(encoding="utf-8", errors="surrogateescape", newline="") as record:
        recorded = [_place(row[0]) for row in csv.reader(record) if row]
    generated = _generated_programs(info)
    files = tuple(
        sorted(path for path in recorded if _belongs(path, info.name, generated) and (root / path).is_file())
    )
    return Installed(
        name=canonicalize_name(about["Name"]),
        version=about["Version"],
        root=root,
        files=files,
        requires=tuple(_requirement(text, info.name) for text in about.get_all("Requires-Dist", [])),
        pure=bool(tags) and all(tag.abi == "none" and tag.platform == "any" for tag in tags),
        interpreter_bound=any(tag.abi.startswith("cp") for tag in tags),
    )


def _requirement(text: str, info: str) -> Requirement:
    try:
        return Requirement(text)
    except InvalidRequirement as error:
        fix = "take another release of it"
        raise BuildError(Problem(file=info, what=f"{text!r} cannot be read: {error}", fix=fix)) from error


def _headers(path: Path) -> Message:
    with path.open(encoding="utf-8", errors="replace") as file:
        return HeaderParser().parse(file)


def _place(recorded: str) -> PurePosixPath:
    """Return where a file lies that RECORD names from `lib/python`, whose content pip moved up twice."""
    path = PurePosixPath(recorded)
    return PurePosixPath(*path.parts[2:]) if path.parts[:2] == ("..", "..") else path


def _generated_programs(info: Path) -> set[str]:
    """Name the programs that pip made from entry points, for the Python of this machine."""
    try:
        text = (info / "entry_points.txt").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return set()
    return set(re.findall(r"^\s*([^\[#;=\s][^=]*?)\s*=", text, re.MULTILINE))


def _belongs(path: PurePosixPath, info: str, generated: set[str]) -> bool:
    if not path.parts or ".." in path.parts or path.is_absolute() or path.parts[0] == "include":
        return False  # headers for compilers
    if path.parts[0] == "bin" and path.name in generated:
        return False  # `python -m` runs the same
    if "__pycache__" in path.parts or path.suffix == ".pyc":
        return False
    return not (path.parts[0] == info and path.name in _ABOUT_THE_INSTALLATION)
