"""Packing a bundle: the author's files, the manifest and the checksums beside what is installed already."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from mattermost_plugin.cli._archive import write_archive
from mattermost_plugin.cli._author_files import bundle_entrypoint
from mattermost_plugin.cli._manifest_rules import DEFAULT_RUNTIME
from mattermost_plugin.cli._project import Project

__all__ = ["copy_file", "pack_bundle"]

_CHECKSUMS = PurePosixPath("server/checksums.sha256")


def pack_bundle(
    project: Project,
    files: Mapping[PurePosixPath, Path],
    stage: Path,
    executables: dict[str, str],
    runs_on: str,
    archive: Path,
) -> None:
    """Complete the bundle in `stage` and write it to `archive`.

    Args:
        project: the plugin.
        files: the author's files by their places in the bundle.
        stage: a folder with what the bundle has beside them.
        executables: the manifest's `server.executables`.
        runs_on: the releases of Python that the bundle runs on, as the bridge reads them; empty: not known.
        archive: where to.

    Raises:
        OSError: a file cannot be read or written; `archive` is as it was.
    """
    for place, path in files.items():
        copy_file(path, stage / place)
    manifest = _bundle_manifest(project, executables, runs_on)
    text = json.dumps(manifest, indent=2, ensure_ascii=False)
    (stage / "plugin.json").write_text(f"{text}\n", encoding="utf-8")
    _write_checksums(stage, set(executables.values()))
    write_archive(stage, project.id, archive)


def copy_file(source: Path, target: Path) -> None:
    """Copy a file with its mode, and make the folders that it lies in."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    shutil.copymode(source, target)


def _bundle_manifest(project: Project, executables: dict[str, str], runs_on: str) -> dict[str, Any]:
    server = {
        **project.manifest["server"],
        "executables": executables,
        "runtime": project.manifest["server"].get("runtime") or DEFAULT_RUNTIME,
        "entrypoint": str(bundle_entrypoint(project)),
    }
    if runs_on:
        server["requires_python"] = runs_on
    server.pop("executable", None)
    return {**project.manifest, "server": server}


def _write_checksums(stage: Path, executables: set[str]) -> None:
    """List what the server does not verify by itself: it does so for the manifest's executables."""
    places = {path.relative_to(stage).as_posix() for path in (stage / "server").rglob("*") if path.is_file()}
    lines = [
        f"{hashlib.sha256((stage / place).read_bytes()).hexdigest()}  {place}\n"
        for place in sorted(places - executables)
    ]
    (stage / _CHECKSUMS).write_text("".join(lines), encoding="utf-8")
