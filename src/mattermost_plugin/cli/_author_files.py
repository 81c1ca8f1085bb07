"""Choosing which files of a plugin's folder go into its bundle."""

import fnmatch
import os
import re
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


_NAME = re.compile(r"[^\x00-\x1f\x7f\\\ud800-\udfff]+")


def author_files(project: Project, output: Path) -> dict[PurePosixPath, Path]:
    """Map the places in the bundle of the author's files to the files.

    Args:
        project: the plugin.
        output: the folder that the bundle goes to, never part of it.

    Raises:
        BuildError: a file or linked folder lies outside the plugin's folder, a folder leads back into itself,
            a file is not a regular one, takes a place that the build itself uses, or the entrypoint is among
            those left out.
        OSError: a folder cannot be read.
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

    Links are followed: the server leaves them out when it unpacks a bundle.
    """
    destination = os.path.realpath(output)
    if start.parts:
        _require_own(project.directory, start)
    pending = [start]
    while pending:
        here = pending.pop()
        folders = []
        for path in sorted(here / found.name for found in (project.directory / here).iterdir()):
            if not (project.directory / path).is_dir():
                if not (
                    _is_former_bundle(project, path, destination) or _left_out(project, path, _LEFT_OUT_FILES)
                ):
                    _require_own(project.directory, path)
                    _require_file(project.directory, path)
                    yield path
            # A folder that is named on purpose is not left out by its own name, only what lies in it.
            elif not (
                (here == start and path.name in skip)
                or os.path.realpath(project.directory / path) == destination
                or _left_out(project, path, _LEFT_OUT_FOLDERS)
            ):
                _require_own(project.directory, path)
                _require_no_loop(project.directory, path)
                folders.append(path)
        pending += reversed(folders)


def _is_former_bundle(project: Project, path: PurePosixPath, destination: str) -> bool:
    if not fnmatch.fnmatchcase(path.name, f"{project.id}-*.tar.gz"):
        return False
    return os.path.realpath(project.directory / path.parent) == destination


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


def _require_own(directory: Path, path: PurePosixPath) -> None:
    """Refuse what lies outside the plugin's folder, and names that a list of checksums cannot hold."""
    if not _NAME.fullmatch(path.name):
        what = "has a name with control characters, a backslash or bytes that are not UTF-8"
        raise BuildError(Problem(file=str(path), what=what, fix="rename it"))
    real = Path(os.path.realpath(directory / path))
    if not real.is_relative_to(os.path.realpath(directory)):
        what = "is a link that leads out of the plugin's folder"
        raise BuildError(Problem(file=str(path), what=what, fix="put the file or folder itself there"))


def _require_file(directory: Path, path: PurePosixPath) -> None:
    file = directory / path
    if file.is_file():
        return
    if file.is_symlink():
        what = f"is a link to {str(file.readlink())!r}, which leads nowhere"
        raise BuildError(Problem(file=str(path), what=what, fix="mend or remove it"))
    raise BuildError(Problem(file=str(path), what="is not a regular file", fix="remove it"))


def _require_no_loop(directory: Path, path: PurePosixPath) -> None:
    real = os.path.realpath(directory / path)
    above = next((one for one in path.parents if os.path.realpath(directory / one) == real), None)
    if above is not None:
        what = f"is a link to a folder that it lies in ({above if above.parts else 'the plugin'})"
        fix = "remove it, or leave it out with `exclude` in [tool.mattermost-plugin] of pyproject.toml"
        raise BuildError(Problem(file=str(path), what=what, fix=fix))
