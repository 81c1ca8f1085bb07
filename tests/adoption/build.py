"""Builds the server with the host inside."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import subprocess
from pathlib import Path

from tests.adoption import edits
from tests.harness import BuildError, Progress, ServerProgram
from tests.harness.build import ASSETS, BUILD_FLAGS, COMMAND, MODULE, SERVER_MODULE, find_go
from tests.harness.cache import cache_directory, locked

__all__ = ["build_adopted"]

PUBLIC_MODULE = "github.com/mattermost/mattermost/server/public"
HOST_MODULE = "github.com/mattermost-plugin/mattermost-plugin/go"
OWN = Path(__file__).resolve().parents[2] / "go"
SUMS = Path(__file__).with_name("go.sum")


def build_adopted(progress: Progress | None = None) -> ServerProgram:
    """Return the program of the changed server. Go builds what has changed since it was last built.

    Args:
        progress: Hears how far the build is; None writes to standard error.

    Raises:
        BuildError: Go is missing, or it could not build the server.
        EditError: The pinned modules are not those that the edits were written for.
    """
    progress = progress or Progress()
    go = find_go()
    home = cache_directory("adopted")
    with locked(home / "lock", progress, "Another process is building the changed server; waiting for it"):
        version = _copy(go, home, progress)
        progress.step("Building the Mattermost server with the host inside (a few minutes the first time)")
        _run(go, home, "build", *BUILD_FLAGS, "-o", str(home / "mattermost"), COMMAND)
    return ServerProgram(home / "mattermost", version)


def _copy(go: str, home: Path, progress: Progress) -> str:
    """Put the changed modules into `home`, unless they are there, and return the server's version."""
    server = _module(go, MODULE, SERVER_MODULE)
    public = _module(go, OWN, PUBLIC_MODULE)
    sources = [Path(__file__), Path(edits.__file__), SUMS, MODULE / "go.mod", OWN / "go.mod"]
    contents = [str(OWN).encode(), *(path.read_bytes() for path in sources)]
    digest = hashlib.sha256(b"".join(contents)).hexdigest()
    done = home / "copied"
    if done.exists() and done.read_text(encoding="utf-8") == digest:
        return server["Version"]
    progress.step("Copying and changing the sources of the Mattermost server")
    done.unlink(missing_ok=True)
    for name, module in (("v8", server), ("public", public)):
        shutil.rmtree(home / name, ignore_errors=True)
        _copy_writable(Path(module["Dir"]), home / name)
    for edit in (*edits.ADOPTION, *edits.VERSION_GAP):
        edit.apply(home / "v8")
    for edit in edits.PUBLIC_GAP:
        edit.apply(home / "public")
    (home / "v8" / "channels" / "app" / "newer_api.go").write_text(edits.NEWER_API, encoding="utf-8")
    (home / "public" / "model" / "newer_model.go").write_text(edits.NEWER_MODEL, encoding="utf-8")
    for name in ASSETS:
        shutil.rmtree(home / name, ignore_errors=True)
        shutil.copytree(home / "v8" / name, home / name)
    _write_module(go, home, public["Version"])
    done.write_text(digest, encoding="utf-8")
    return server["Version"]


def _write_module(go: str, home: Path, public_version: str) -> None:
    shutil.copyfile(MODULE / "go.mod", home / "go.mod")
    shutil.copyfile(SUMS, home / "go.sum")
    language = json.loads(_run(go, OWN, "mod", "edit", "-json"))["Go"]
    _run(
        go, home, "mod", "edit", f"-go={language}",
        f"-require={PUBLIC_MODULE}@{public_version}", f"-require={HOST_MODULE}@v0.0.0",
        f"-replace={SERVER_MODULE}={home / 'v8'}", f"-replace={PUBLIC_MODULE}={home / 'public'}",
        f"-replace={HOST_MODULE}={OWN}",
    )  # fmt: skip


def _module(go: str, where: Path, path: str) -> dict[str, str]:
    return dict(json.loads(_run(go, where, "mod", "download", "-json", path)))


def _run(go: str, where: Path, *arguments: str) -> str:
    # The versions of what both modules need are worked out here, as no file says them.
    flags = "-mod=mod" if where.name == "adopted" else "-mod=readonly"
    environment = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": flags}
    done = subprocess.run(
        [go, *arguments], cwd=where, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise BuildError(f"`go {' '.join(arguments)}` failed in {where}:\n{done.stderr.strip()}")
    return done.stdout


def _copy_writable(source: Path, target: Path) -> None:
    # Go's module cache is read-only, and a read-only copy could not be changed or removed.
    shutil.copytree(source, target, copy_function=shutil.copyfile)
    for path in (target, *target.rglob("*")):
        path.chmod(path.stat().st_mode | stat.S_IWUSR)
