"""Building a bundle: from a plugin's folder to the archive that a server installs."""

import os
import re
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from packaging.version import Version

from mattermost_plugin.cli._author_files import author_files, bundle_entrypoint
from mattermost_plugin.cli._bridge import bridge_for, bridge_licences
from mattermost_plugin.cli._bundle_schema import MANIFEST
from mattermost_plugin.cli._code_rules import check_code
from mattermost_plugin.cli._file_errors import file_errors
from mattermost_plugin.cli._pack import copy_file, pack_bundle
from mattermost_plugin.cli._pip import Requirements
from mattermost_plugin.cli._platforms import Platform
from mattermost_plugin.cli._problems import BuildError, Problem
from mattermost_plugin.cli._project import Project, read_project
from mattermost_plugin.cli._requirements_file import RequirementsFile, read_requirements
from mattermost_plugin.cli._sdk_wheel import pack_sdk
from mattermost_plugin.cli._vendor import Vendored, vendor

__all__ = ["build_bundle"]

_OLDEST_PYTHON = 10
_NEWEST_PYTHON = 14
_REQUIRES_PYTHON = next(rule for rule in MANIFEST if rule.key == "server.requires_python")


def build_bundle(
    directory: Path | str,
    *,
    platforms: Sequence[str] = (),
    output: Path | str | None = None,
    python: str | None = None,
    report: Callable[[str], None] = lambda _: None,
) -> Path:
    """Build the plugin in `directory` into a bundle and return the path of the archive.

    Args:
        directory: the folder of the plugin's `plugin.json`.
        platforms: what to build for, each such as `linux-amd64`; empty: the machine this runs on.
        output: the folder for the archive; None: `dist` in the plugin's folder.
        python: the release of Python on the server, such as `3.11`, which matters only for compiled
            dependencies; None: the running one if the plugin's `requires-python` has it, else the lowest
            that it has.
        report: is called with each line worth telling a person.

    Raises:
        BuildError: the plugin cannot be built; nothing was written to `output`.
    """
    directory = Path(directory)
    with file_errors(directory):
        return _build(directory, platforms, Path(output) if output is not None else None, python, report)


def _build(
    directory: Path,
    platforms: Sequence[str],
    output: Path | None,
    python: str | None,
    report: Callable[[str], None],
) -> Path:
    targets = [Platform.parse(name) for name in sorted(set(platforms))] or [Platform.this()]
    project = read_project(directory)
    folder = output if output is not None else directory / "dist"
    files = author_files(project, folder)
    required = _requirements_file(directory)
    release = _choose_python(project, python)
    check_code(files, bundle_entrypoint(project), directory, release, report)
    with tempfile.TemporaryDirectory(prefix="mattermost-plugin-build-") as name:
        scratch = Path(name).absolute()
        stage = scratch / "bundle"
        executables = _add_bridges(stage, targets)
        requirements = Requirements(
            sdk=pack_sdk(scratch),
            python=release,
            folder=directory,
            file=required,
            listed=project.dependencies or (),
        )
        vendored = vendor(requirements, targets, stage / "server" / "site", scratch, report)
        archive = folder / f"{project.id}-{project.version}.tar.gz"
        pack_bundle(project, files, stage, executables, _runs_on(project, vendored, release), archive)
        _summarise(stage, archive, vendored, release, report)
    return archive


def _choose_python(project: Project, asked: str | None) -> str:
    supported = [f"3.{minor}" for minor in range(_OLDEST_PYTHON, _NEWEST_PYTHON + 1)]
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    # The last patch release stands for the minor one: ">=3.10.4" is meant to include 3.10.
    fitting = [one for one in (*supported, running) if project.requires_python.contains(Version(f"{one}.99"))]
    if asked is not None:
        if asked not in supported:
            raise BuildError(Problem(what=f"Python {asked} is not supported", fix=f"choose of {supported}"))
        if asked not in fitting:
            key = "project.requires-python"
            raise BuildError(Problem(file="pyproject.toml", key=key, what=f"does not include Python {asked}"))
        return asked
    if not fitting:
        raise BuildError(
            Problem(
                file="pyproject.toml",
                key="project.requires-python",
                what=f"{str(project.requires_python)!r} includes none of Python {', '.join(supported)}",
            )
        )
    return running if running in fitting else fitting[0]


def _requirements_file(directory: Path) -> RequirementsFile | None:
    path = directory / "requirements.txt"
    if not os.path.lexists(path):
        return None
    if not path.is_file():
        raise BuildError(Problem(file=path.name, what="is not a file", fix="put the file itself there"))
    return read_requirements(path.absolute())


def _add_bridges(stage: Path, platforms: Sequence[Platform]) -> dict[str, str]:
    """Copy the bridges and return the manifest's `server.executables`."""
    executables = {}
    for platform in platforms:
        place = f"server/bridge/bridge-{platform}"
        copy_file(bridge_for(platform), stage / place)
        (stage / place).chmod(0o755)
        executables[str(platform)] = place
    copy_file(bridge_licences(), stage / "server/bridge/LICENSES.txt")
    return executables


def _runs_on(project: Project, vendored: Sequence[Vendored], release: str) -> str:
    """Return the releases of Python that the bundle runs on, as the bridge reads them; empty: not known."""
    if any(one.interpreter_bound for one in vendored):
        return f"=={release}.*"
    releases = str(project.requires_python)
    return releases if re.fullmatch(_REQUIRES_PYTHON.pattern, releases) else ""


def _summarise(
    stage: Path, archive: Path, vendored: list[Vendored], python: str, report: Callable[[str], None]
) -> None:
    """Tell what the bundle consists of, with sizes."""
    report(f"{archive}  {_size(archive.stat().st_size)}")
    for bridge in sorted((stage / "server" / "bridge").glob("bridge-*")):
        report(f"  {bridge.relative_to(stage)}  {_size(bridge.stat().st_size)}")
    for folder in sorted((stage / "server" / "site").iterdir()):
        names = ", ".join(f"{one.name} {one.version}" for one in vendored if one.folder == folder.name)
        report(f"  {folder.relative_to(stage)}  {_size(_folder_size(folder))}  ({names})")
    for one in vendored:
        if one.interpreter_bound:
            report(f"  {one.name} is compiled for Python {python}: the server has to run the plugin with it")


def _folder_size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _size(count: int) -> str:
    return f"{count / 1_000_000:.1f} MB" if count >= 100_000 else f"{count / 1_000:.1f} kB"
