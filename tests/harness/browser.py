"""Finds a browser for tests, or brings one from the packages of Debian into the user's cache."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.harness.cache import cache_directory, locked
from tests.harness.progress import Progress

__all__ = ["BrowserError", "BrowserProgram", "find_browser"]

VARIABLE = "MATTERMOST_PLUGIN_BROWSER"
"""The environment variable that names a browser to use instead of all others."""

COMMANDS = (
    "chromium-headless-shell",
    "chrome-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)

PACKAGES = ("chromium-headless-shell", "fonts-liberation")
EXECUTABLE = "usr/lib/chromium/chromium-headless-shell"

ADVICE = (
    "the tests need a browser: install Chromium or Google Chrome so that it is on PATH, "
    f"or name its executable in {VARIABLE}"
)


class BrowserError(Exception):
    """There is no browser and none could be fetched; the message says why and what to do."""


@dataclass(frozen=True)
class BrowserProgram:
    """A Chromium that runs without a display.

    Attributes:
        executable: The program.
        environment: Environment variables that it needs beside those of this process.
    """

    executable: Path
    environment: dict[str, str]

    def version(self) -> str:
        """Return what the program says it is; empty: it does not run."""
        try:
            done = subprocess.run(
                [self.executable, "--version"],
                env={**os.environ, **self.environment},
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return ""
        return done.stdout.strip() if done.returncode == 0 else ""


def find_browser(progress: Progress | None = None) -> BrowserProgram:
    """Return a browser: the one that is named, one that is installed, or Debian's from the cache.

    Debian's packages are fetched on first use, without changing what is installed; that needs no rights of an
    administrator. Processes that ask at the same time wait for the one that fetches.

    Args:
        progress: Hears what takes long; None writes to standard error.

    Raises:
        BrowserError: There is none.
    """
    named = os.environ.get(VARIABLE)
    if named:
        program = BrowserProgram(Path(named), {})
        if not program.version():
            raise BrowserError(f"{named}, which {VARIABLE} names, does not run; {ADVICE}")
        return program
    for command in COMMANDS:
        found = shutil.which(command)
        if found and (program := BrowserProgram(Path(found), {})).version():
            return program
    return _packaged(progress or Progress())


def _packaged(progress: Progress) -> BrowserProgram:
    missing = [name for name in ("apt-get", "dpkg-deb") if shutil.which(name) is None]
    if missing:
        raise BrowserError(f"this machine has no {missing[0]} to fetch a browser with; {ADVICE}")
    home = cache_directory("browser") / _content_key()
    waiting = "Another process is fetching a browser; waiting for it"
    with locked(home.with_suffix(".lock"), progress, waiting):
        # What it shares with the system may have gone since it was fetched, so it is tried each time.
        if home.is_dir() and (program := _program(home)).version():
            return program
        progress.step("Fetching a browser from Debian's packages (100 MB, once)")
        _fetch_into(home)
        program = _program(home)
        if not program.version():
            raise BrowserError(f"the browser in {home} does not run; {ADVICE}")
        progress.step(f"The browser is there: {program.version()}")
        return program


def _content_key() -> str:
    # Debian's archive has the newest version of a browser only, so there is none to name here.
    try:
        system = platform.freedesktop_os_release()
    except OSError:
        system = {}
    what = [system.get("ID"), system.get("VERSION_ID"), platform.machine(), PACKAGES, 1]
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:20]


def _program(home: Path) -> BrowserProgram:
    libraries = {str(library.parent) for library in home.glob("**/*.so*")}
    path = [*sorted(libraries), *filter(None, [os.environ.get("LD_LIBRARY_PATH")])]
    environment = {
        "LD_LIBRARY_PATH": os.pathsep.join(path),
        "XDG_DATA_HOME": str(home / "usr/share"),  # fonts
    }
    return BrowserProgram(home / EXECUTABLE, environment)


def _fetch_into(home: Path) -> None:
    with tempfile.TemporaryDirectory(prefix=home.name, dir=home.parent) as scratch:
        work = Path(scratch)
        for folder in ("lists/partial", "archives/partial", "root"):
            (work / folder).mkdir(parents=True)
        _apt_get(work, "update")
        _apt_get(work, "install", "--yes", "--no-install-recommends", "--download-only", *PACKAGES)
        for package in sorted((work / "archives").glob("*.deb")):
            _run("dpkg-deb", "--extract", str(package), str(work / "root"))
        shutil.rmtree(home, ignore_errors=True)
        (work / "root").rename(home)


def _apt_get(work: Path, *arguments: str) -> None:
    # Everything that apt-get writes goes to `work`; it reads which sources there are and what is installed.
    options = {
        "Dir::State::lists": f"{work}/lists",
        "Dir::Cache": f"{work}",
        "Dir::Cache::archives": f"{work}/archives",
        "Acquire::Languages": "none",
        "APT::Sandbox::User": "",
        "Debug::NoLocking": "1",
    }
    _run("apt-get", *(f"--option={name}={value}" for name, value in options.items()), *arguments)


def _run(*command: str) -> None:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600, check=False
    )
    if done.returncode != 0:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-10:])
        raise BrowserError(f"`{command[0]}` could not fetch a browser; {ADVICE}. It said:\n{said}")
