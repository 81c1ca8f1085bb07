"""Packing the installed SDK as a wheel, for pip to vendor it into a bundle.

The SDK in a bundle is the one that builds it, so that a plugin runs with what its author tested. It
leaves out what only an author's machine needs: this command and the bridges.
"""

import zipfile
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import mattermost_plugin
from mattermost_plugin._version import __version__
from mattermost_plugin.cli._problems import BuildError, Problem

__all__ = ["DISTRIBUTION", "pack_sdk"]

DISTRIBUTION = "mattermost-plugin"
_WHEEL = f"""\
Wheel-Version: 1.0
Generator: {DISTRIBUTION} {__version__}
Root-Is-Purelib: true
Tag: py3-none-any
"""
_NOT_IN_A_BUNDLE = ("_bridge", "cli")
_OF_THE_COMMAND = ("packaging", "tomli")
"""Requirements that only this command has."""


def pack_sdk(folder: Path) -> Path:
    """Write the wheel into `folder` and return its path.

    Raises:
        BuildError: the SDK runs without being installed.
    """
    name = f"{DISTRIBUTION.replace('-', '_')}-{__version__}"
    wheel = folder / f"{name}-py3-none-any.whl"
    package = Path(mattermost_plugin.__path__[0])
    files = {
        f"mattermost_plugin/{path.relative_to(package).as_posix()}": path.read_bytes()
        for path in sorted(package.rglob("*"))
        if path.is_file() and _belongs(path.relative_to(package))
    }
    files[f"{name}.dist-info/METADATA"] = _bundle_metadata().encode()
    files[f"{name}.dist-info/WHEEL"] = _WHEEL.encode()
    record = f"{name}.dist-info/RECORD"
    files[record] = "".join(f"{path},,\n" for path in (*files, record)).encode()
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_STORED) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return wheel


def _belongs(path: Path) -> bool:
    return path.parts[0] not in _NOT_IN_A_BUNDLE and "__pycache__" not in path.parts and path.suffix != ".pyi"


def _bundle_metadata() -> str:
    """Return the SDK's metadata without its description and without what only this command requires."""
    try:
        text = metadata.distribution(DISTRIBUTION).read_text("METADATA")
    except metadata.PackageNotFoundError:
        text = None
    if text is None:
        raise BuildError(
            Problem(
                what="the SDK runs without being installed, so what it requires is not known",
                fix="install it with `pip install -e` and the folder of its pyproject.toml",
            )
        )
    head, _, _ = text.partition("\n\n")
    kept = [line for line in head.splitlines() if not _is_of_the_command(line)]
    return "\n".join(kept) + "\n"


def _is_of_the_command(line: str) -> bool:
    field, _, value = line.partition(": ")
    return field == "Requires-Dist" and canonicalize_name(Requirement(value).name) in _OF_THE_COMMAND
