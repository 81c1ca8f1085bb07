"""Running pip: its environment, its end, and what it says when it fails."""

import importlib.util
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from mattermost_plugin.cli._problems import BuildError, Problem

__all__ = ["run_pip"]

_WITHOUT_CURRENT_FOLDER = (
    "import sys; sys.path[:] = [path for path in sys.path if path]; "
    "import runpy; runpy.run_module('pip', run_name='__main__', alter_sys=True)"
)
"""Runs pip without looking for modules in the plugin's folder, where a `logging.py` may lie."""
_NOT_PASSED_ON = frozenset(
    f"PIP_{name}"
    for name in (
        "ABI", "DRY_RUN", "EDITABLE", "FORCE_REINSTALL", "IMPLEMENTATION", "NO_DEPS", "PLATFORM", "PREFIX",
        "PYTHON", "PYTHON_VERSION", "REPORT", "REQUIREMENT", "REQUIRE_VIRTUALENV", "ROOT", "TARGET",
        "UPGRADE_STRATEGY", "USER",
    )
)  # fmt: skip
"""What a shell may tell pip for other installations: where to, for what, or to leave out something."""
_LISTS_OF_PATHS = ("PIP_FIND_LINKS", "PIP_CONSTRAINT", "PIP_BUILD_CONSTRAINT")
_PATHS = ("PIP_CACHE_DIR", "PIP_CERT", "PIP_CLIENT_CERT", "PIP_CONFIG_FILE", "PIP_LOG")
_UNREACHABLE = re.compile(
    r"NewConnectionError|ConnectTimeout|ReadTimeout|NameResolutionError|ProxyError|SSLError"
    r"|Connection (?:refused|reset|broken|aborted)"
)
_GRACE = 5.0
"""Seconds that pip has to remove its temporary files after an interrupt."""
_LONGEST = 600
"""How many characters of pip's errors become part of ours."""


def run_pip(
    arguments: list[str], folder: Path, scratch: Path, problem: Problem, report: Callable[[str], None]
) -> None:
    """Run pip with `arguments` in `folder`, so that relative paths in requirements start there.

    Args:
        arguments: those of `pip`.
        folder: the current folder for pip.
        scratch: a folder for its temporary files.
        problem: what to raise when it fails; pip's errors are added.
        report: is called with each line that pip wrote when it fails.

    Raises:
        BuildError: there is no pip, or it failed.
    """
    if importlib.util.find_spec("pip") is None:
        raise BuildError(
            Problem(
                what=f"there is no pip beside {sys.executable}, which installs what the plugin requires",
                fix="run `python -m ensurepip`, or `uv pip install pip`",
            )
        )
    temporary = scratch / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    # At a terminal, Ctrl-C reaches the whole group, and ssh may ask for a password. Elsewhere what pip
    # started has a group of its own, so that nothing of it stays when the command is ended.
    own_group = not os.isatty(0)
    with subprocess.Popen(
        [sys.executable, "-c", _WITHOUT_CURRENT_FOLDER, *arguments],
        cwd=folder,
        env={**_environment(os.environ, Path.cwd()), "TMPDIR": str(temporary.absolute())},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        start_new_session=own_group,
    ) as process:
        try:
            said, _ = process.communicate()
        except BaseException:
            _end(process, own_group)
            raise
    if process.returncode != 0:
        for line in said.splitlines():
            report(f"pip: {line}")
        raise BuildError(_with_errors(problem, said))


def _environment(inherited: Mapping[str, str], here: Path) -> dict[str, str]:
    """Return pip's environment: without options for other installations, with paths that hold anywhere."""
    environment = {key: value for key, value in inherited.items() if key not in _NOT_PASSED_ON}
    environment["PYTHONIOENCODING"] = "utf-8"
    for key in _PATHS:
        if environment.get(key):
            environment[key] = str(here / environment[key])
    for key in _LISTS_OF_PATHS:
        if key in environment:
            environment[key] = " ".join(_anywhere(item, here) for item in environment[key].split())
    return environment


def _anywhere(item: str, here: Path) -> str:
    # As an address, since pip splits these variables at spaces.
    return (here / item).as_uri() if not Path(item).is_absolute() and (here / item).exists() else item


def _end(process: "subprocess.Popen[str]", own_group: bool) -> None:
    """Give pip time to end what it started, then kill what is left."""
    if not own_group:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)  # Ctrl-C reached it too
        process.kill()
        return
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE)
        os.killpg(process.pid, signal.SIGKILL)


def _with_errors(problem: Problem, said: str) -> Problem:
    lines = [line.strip() for line in said.splitlines()]
    first = next((index for index, line in enumerate(lines) if line.startswith("ERROR:")), 0)
    errors = " ".join(line.removeprefix("ERROR: ") for line in lines[first:] if line)
    if len(errors) > _LONGEST:
        errors = f"{errors[:_LONGEST]}..."
    fix = problem.fix
    if _UNREACHABLE.search(said):
        fix = "see whether the package index can be reached (PIP_INDEX_URL, proxy, network)"
    elif "(from versions: none)" in said:
        fix = "see whether the name is right, there is a wheel for it, and the package index can be reached"
    return Problem(file=problem.file, what=f"{problem.what}: {errors or 'no reason given'}", fix=fix)
