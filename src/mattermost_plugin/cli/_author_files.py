"""Choosing which files of a plugin's folder go into its bundle."""

import fnmatch
import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from mattermost_plugin.cli._problems import BuildError, Problem
from mattermost_plugin.cli._project import Project

__all__ = ["author_files"]

_LEFT_OUT_FOLDERS = ("tests", "test", "dist", "build", "venv", "node_modules", "__pycache__", "*.egg-info")
_LEFT_OUT_FILES = (
    "*.pyc", "*.pyo", "conftest.py", "test_*.py",
    "plugin.json", "pyproject.toml", "requirements*.txt", "*.lock", "Makefile",
)  # fmt: skip
_BESIDE_THE_CODE = ("assets", "public", "webapp")
"""Folders that keep their place in the bundle, whichever way the code is laid out."""
_TAKEN = ("bridge", "site", "checksums.sha256")
"""Names below `server/` of a bundle that the build itself gives out."""


def author_files(project: Project, output: Path) -> dict[PurePosixPath, Path]:
    """Map the places in the bundle of the author's files to the files.

    Args:
        project: the plugin.
        output: the folder that the bundle goes to, never part of it.

    Raises:
        BuildError: a file lies outside the plugin's folder, is not a regular one, takes a place that the
            build itself uses, or the entrypoint is among those left out.
    """
    chosen: dict[PurePosixPath, Path] = {}
    beside = () if project.code.parts else _BESIDE_THE_CODE
    for path in _walk(project, project.code, output, skip=beside):
        place = PurePosixPath("server", path.relative_to(project.code))
        if place.parts[1] in _TAKEN:
            fix = "rename it, or leave it out with `exclude` in [tool.mattermost-plugin] of pyproject.toml"
            raise BuildError(
                Problem(file=str(path), what=f"{place} in the bundle is the build's own", fix=fix)
            )
        chosen[place] = project.directory / path
    for folder in ("assets", "public", *_webapp_folder(project)):
        if (project.directory / folder).is_dir():
            files = _walk(project, PurePosixPath(folder), output)
            chosen |= {path: project.directory / path for path in files}
    for path in _named_files(project):
        chosen[path] = project.directory / path
    if bundle_entrypoint(project) not in chosen:
        fix = "name it in `include` of [tool.mattermost-plugin] in pyproject.toml, or give it another name"
        raise BuildError(
            Problem(file=str(project.entrypoint), what="files of this name are left out", fix=fix)
        )
    return chosen


def bundle_entrypoint(project: Project) -> PurePosixPath:
    """Return the place of the entrypoint in the bundle."""
    return PurePosixPath("server", project.entrypoint.relative_to(project.code))


def _webapp_folder(project: Project) -> tuple[str, ...]:
    """Return the folder of the built webapp script: its maps and chunks lie beside it, its sources do not."""
    webapp = project.manifest.get("webapp")
    folder = PurePosixPath(webapp["bundle_path"]).parent if webapp else PurePosixPath()
    return (str(folder),) if folder.parts else ()


def _named_files(project: Project) -> Iterator[PurePosixPath]:
    if icon := project.manifest.get("icon_path"):
        yield PurePosixPath(icon)
    if webapp := project.manifest.get("webapp"):
        yield PurePosixPath(webapp["bundle_path"])


def _walk(
    project: Project, start: PurePosixPath, output: Path, skip: Sequence[str] = ()
) -> Iterator[PurePosixPath]:
    """Yield the files below `start`, relative to the plugin's folder, without those left out.

    Links to other files and folders of the plugin are followed: a bundle has no links.
    """
    yield from _walk_folder(project, start, output, skip, (_real(project.directory, start),))


def _walk_folder(
    project: Project, here: PurePosixPath, output: Path, skip: Sequence[str], above: tuple[Path, ...]
) -> Iterator[PurePosixPath]:
    """Yield the files below a folder.

    Args:
        project: the plugin.
        here: the folder, relative to the plugin's.
        output: the folder that the bundle goes to.
        skip: names of folders in this one that are passed over.
        above: this folder and those it lies in, without links.
    """
    with os.scandir(project.directory / here) as entries:
        names = sorted(entry.name for entry in entries)
    for name in names:
        path = here / name
        if not (project.directory / path).is_dir():
            if not _left_out(project, path, _LEFT_OUT_FILES):
                _require_own_file(project.directory, path)
                yield path
            continue
        # A folder that is named on purpose is not left out by its own name, only what lies in it.
        if name in skip or _left_out(project, path, _LEFT_OUT_FOLDERS):
            continue
        real = _real(project.directory, path)
        if real == output.resolve():
            continue
        if real in above:
            what = "is a link to a folder that it lies in"
            raise BuildError(Problem(file=str(path), what=what, fix="remove it"))
        yield from _walk_folder(project, path, output, (), (*above, real))


def _left_out(project: Project, path: PurePosixPath, by_default: Sequence[str]) -> bool:
    if _matches(path, project.exclude):
        return True
    if _matches(path, project.include) or any(
        path in PurePosixPath(item).parents for item in project.include
    ):
        return False
    return path.name.startswith(".") or any(fnmatch.fnmatchcase(path.name, pattern) for pattern in by_default)


def _matches(path: PurePosixPath, patterns: Sequence[str]) -> bool:
    """Tell whether the path or a folder that it lies in is named by one of the patterns."""
    candidates = [str(path), *(str(parent) for parent in path.parents if parent.parts)]
    return any(fnmatch.fnmatchcase(item, pattern.rstrip("/")) for item in candidates for pattern in patterns)


def _require_own_file(directory: Path, path: PurePosixPath) -> None:
    if not _real(directory, path).is_file():
        raise BuildError(Problem(file=str(path), what="is not a regular file", fix="remove it"))


def _real(directory: Path, path: PurePosixPath) -> Path:
    """Return where a path leads when all links are followed.

    Raises:
        BuildError: Out of the plugin's folder, in a loop, or nowhere.
    """
    try:
        real = (directory / path).resolve(strict=True)
    except (OSError, RuntimeError):  # RuntimeError: a loop, before Python 3.13
        what = "is a link that leads nowhere"
        raise BuildError(Problem(file=str(path), what=what, fix="remove it, or mend it")) from None
    if not real.is_relative_to(directory.resolve()):
        what = "is a link that leads out of the plugin's folder"
        raise BuildError(Problem(file=str(path), what=what, fix="put the file itself there"))
    return real
