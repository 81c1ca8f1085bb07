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
    """Yield the files below `start`, relative to the plugin's folder, without those left out."""
    for root, folders, files in os.walk(project.directory / start):
        here = PurePosixPath(Path(root).relative_to(project.directory).as_posix())
        # A folder that is named on purpose is not left out by its own name, only what lies in it.
        folders[:] = sorted(
            folder
            for folder in folders
            if not (here == start and folder in skip)
            and (Path(root) / folder).resolve() != output.resolve()
            and not _left_out(project, here / folder, _LEFT_OUT_FOLDERS)
        )
        for name in sorted(files):
            if not _left_out(project, here / name, _LEFT_OUT_FILES):
                _require_own_file(project.directory, here / name)
                yield here / name


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
    real = (directory / path).resolve()
    if not real.is_relative_to(directory.resolve()):
        raise BuildError(
            Problem(
                file=str(path),
                what="is a link that leads out of the plugin's folder",
                fix="put the file itself there",
            )
        )
    if not real.is_file():
        raise BuildError(Problem(file=str(path), what="is not a regular file", fix="remove it"))
