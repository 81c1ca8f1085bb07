"""Reading what pip installed into a folder."""

import csv
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path, PurePosixPath

from packaging.requirements import Requirement
from packaging.tags import parse_tag
from packaging.utils import canonicalize_name

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
        files: its files, relative to `root`, without programs, bytecode and notes on the installation.
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
    with (info / "RECORD").open(encoding="utf-8", newline="") as record:
        recorded = [PurePosixPath(row[0]) for row in csv.reader(record) if row]
    files = tuple(sorted(path for path in recorded if _belongs(path, info.name) and (root / path).is_file()))
    return Installed(
        name=canonicalize_name(about["Name"]),
        version=about["Version"],
        root=root,
        files=files,
        requires=tuple(Requirement(text) for text in about.get_all("Requires-Dist", [])),
        pure=bool(tags) and all(tag.abi == "none" and tag.platform == "any" for tag in tags),
        interpreter_bound=any(tag.abi.startswith("cp") for tag in tags),
    )


def _headers(path: Path) -> Message:
    with path.open(encoding="utf-8") as file:
        return HeaderParser().parse(file)


def _belongs(path: PurePosixPath, info: str) -> bool:
    if ".." in path.parts or path.is_absolute() or path.parts[0] == "bin":
        return False  # programs and data beside the library: nothing in a bundle runs them
    if "__pycache__" in path.parts or path.suffix == ".pyc":
        return False
    return not (path.parts[0] == info and path.name in _ABOUT_THE_INSTALLATION)
