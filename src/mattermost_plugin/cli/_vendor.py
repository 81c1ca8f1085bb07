"""Vendoring: the SDK and all that the plugin requires, installed into the bundle for each platform."""

import filecmp
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mattermost_plugin.cli._installed import Installed, read_installed
from mattermost_plugin.cli._pip import Requirements, install
from mattermost_plugin.cli._platforms import Platform

__all__ = ["Vendored", "vendor"]


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
        install(requirements, platform, target)
        installed[platform] = read_installed(target)
    vendored = set()
    for platform, distributions in installed.items():
        for distribution in distributions:
            folder = "any" if _is_everywhere(distribution, installed) else str(platform)
            entry = Vendored(distribution.name, distribution.version, folder, distribution.interpreter_bound)
            if entry not in vendored:
                vendored.add(entry)
                _copy(distribution, site / folder)
    return sorted(vendored)


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
        target = site / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(distribution.root / path, target)
