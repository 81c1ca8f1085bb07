"""Vendoring: the SDK and all that the plugin requires, installed into the bundle for each platform."""

import filecmp
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mattermost_plugin.cli._installed import Installed, read_installed
from mattermost_plugin.cli._pip import Requirements, install
from mattermost_plugin.cli._platforms import Platform

__all__ = ["Vendored", "vendor"]

_BOUND = b"#!" + os.fsencode(sys.executable)
"""The first line that pip writes where a wheel's script has `#!python`."""


@dataclass(frozen=True, slots=True, order=True)
class Vendored:
    """A distribution in the bundle.

    Attributes:
        name: its name.
        version: its version.
        folder: `any`, or the platform that it is for.
        interpreter_bound: whether it has code compiled for one release of Python only.
    """

    name: str
    version: str
    folder: str
    interpreter_bound: bool


def vendor(
    requirements: Requirements,
    platforms: Sequence[Platform],
    site: Path,
    scratch: Path,
    report: Callable[[str], None],
) -> list[Vendored]:
    """Install what `requirements` names for all `platforms` below `site`.

    What is the same pure Python everywhere lands once in `any`; everything else in a folder per platform.

    Raises:
        BuildError: pip could not install it all; the error has pip's own words.
    """
    installed: dict[Platform, list[Installed]] = {}
    for platform in platforms:
        report(f"Installing what the plugin requires for {platform}, Python {requirements.python}")
        target = scratch / str(platform)
        install(requirements, platform, target, report)
        installed[platform] = read_installed(target)
    vendored = set()
    for platform, distributions in installed.items():
        for distribution in distributions:
            folder = "any" if _is_everywhere(distribution, installed) else str(platform)
            entry = Vendored(distribution.name, distribution.version, folder, distribution.interpreter_bound)
            if entry not in vendored:
                vendored.add(entry)
                _copy(distribution, site / folder)
                _tell_of_path_files(distribution, report)
    return sorted(vendored)


def _tell_of_path_files(distribution: Installed, report: Callable[[str], None]) -> None:
    for path in distribution.files:
        if len(path.parts) == 1 and path.suffix == ".pth":
            report(f"{path} of {distribution.name} has no effect in a bundle: Python reads it elsewhere")


def _is_everywhere(distribution: Installed, installed: dict[Platform, list[Installed]]) -> bool:
    return all(
        any(_is_same(distribution, other) for other in distributions) for distributions in installed.values()
    )


def _is_same(one: Installed, other: Installed) -> bool:
    if not (one.pure and other.pure) or (one.name, one.version) != (other.name, other.version):
        return False
    if one.files != other.files:
        return False
    return not any(filecmp.cmpfiles(one.root, other.root, list(map(str, one.files)), shallow=False)[1:])


def _copy(distribution: Installed, site: Path) -> None:
    for path in distribution.files:
        source, target = distribution.root / path, site / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.parts[0] == "bin":
            target.write_bytes(_with_any_python(source.read_bytes()))
        else:
            shutil.copyfile(source, target)
        shutil.copymode(source, target)


def _with_any_python(program: bytes) -> bytes:
    """Let a script that pip bound to the Python of this machine look for one where it is run."""
    first, newline, rest = program.partition(b"\n")
    return b"#!/usr/bin/env python3\n" + rest if newline and first.strip() == _BOUND else program
