"""Running pip to install a plugin's requirements into a folder, for this machine or another."""

import hashlib
import importlib.util
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from mattermost_plugin.cli._installed import Installed, read_installed
from mattermost_plugin.cli._platforms import Platform
from mattermost_plugin.cli._problems import BuildError, Problem
from mattermost_plugin.cli._requirements_text import read_requirements
from mattermost_plugin.cli._sdk_wheel import DISTRIBUTION

__all__ = ["Requirements", "install"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_ROUNDS = 10
"""How deep requirements that hold for another platform only may be nested."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirements:
    """What a bundle has to contain beside the author's files.

    Attributes:
        sdk: the SDK as a wheel.
        python: the release of Python that it is for, such as `3.11`.
        file: the author's `requirements.txt`, or None.
        listed: the requirements that `pyproject.toml` lists, looked at only without `file`.
    """

    sdk: Path
    python: str
    file: Path | None
    listed: tuple[str, ...]

    @property
    def source(self) -> str:
        """Where the requirements are written, as the author knows it."""
        return self.file.name if self.file else "pyproject.toml"


def install(requirements: Requirements, platform: Platform, target: Path) -> None:
    """Install the requirements for `platform` into the folder `target`.

    Raises:
        BuildError: a requirement cannot be read, or pip failed.
    """
    wanted = _wanted(requirements, platform, target.parent)
    extra: list[str] = []
    missing: list[str] = []
    for _ in range(_ROUNDS):
        _run_pip(
            [*_selection(requirements, platform), *wanted, *extra], target, requirements.source, platform
        )
        missing = _missing(read_installed(target), platform, requirements.python)
        if not missing:
            return
        # pip evaluates markers such as `sys_platform == "darwin"` for the machine that it runs on.
        extra += missing
    raise BuildError(
        Problem(
            file=requirements.source,
            what=f"what it requires on {platform} does not come to an end: {missing}",
        )
    )


def _selection(requirements: Requirements, platform: Platform) -> list[str]:
    """Return the options that select wheels for a machine or a Python other than the one this runs on."""
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    here = sys.platform == platform.system and platform == Platform.this()
    if here and requirements.python == running and sys.implementation.name == "cpython":
        return ["--prefer-binary"]
    options = ["--only-binary", ":all:", "--implementation", "cp", "--python-version", requirements.python]
    for tag in platform.pip_tags():
        options += ["--platform", tag]
    return options


def _wanted(requirements: Requirements, platform: Platform, scratch: Path) -> list[str]:
    if requirements.file is None:
        environment = platform.marker_environment(requirements.python)
        wanted = [str(requirements.sdk)]
        for text in requirements.listed:
            requirement = _parse(text)
            if requirement.marker is None or requirement.marker.evaluate(environment):
                wanted.append(_without_marker(requirement))
        return wanted
    text = read_requirements(requirements.file)
    if "--hash" not in text:
        return [str(requirements.sdk), "-r", str(requirements.file)]
    locked = scratch / f"requirements-{platform}.txt"
    locked.write_text(_with_own_hash(text, requirements.sdk), encoding="utf-8")
    return ["-r", str(locked)]


def _parse(text: str) -> Requirement:
    try:
        return Requirement(text)
    except InvalidRequirement as error:
        raise BuildError(
            Problem(
                file="pyproject.toml", key="project.dependencies", what=f"{text!r} cannot be read: {error}"
            )
        ) from error


def _with_own_hash(text: str, sdk: Path) -> str:
    """Replace the SDK in a file of hashed requirements: the wheel that is vendored has a hash of its own."""
    extras = ""
    kept = []
    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        name = _NAME.match(line.strip())
        if name and canonicalize_name(name[0]) == DISTRIBUTION:
            extras = "".join(re.findall(r"^[^\[;=<>~! ]*(\[[^\]]*\])", line.strip()))
        else:
            kept.append(line)
    digest = hashlib.sha256(sdk.read_bytes()).hexdigest()
    kept.append(f"{DISTRIBUTION}{extras} @ {sdk.as_uri()} --hash=sha256:{digest}")
    return "\n".join(kept) + "\n"


def _run_pip(arguments: list[str], target: Path, source: str, platform: Platform) -> None:
    if importlib.util.find_spec("pip") is None:
        raise BuildError(
            Problem(
                what=f"there is no pip beside {sys.executable}, which installs what the plugin requires",
                fix="run `python -m ensurepip`, or `uv pip install pip`",
            )
        )
    options = [
        "--target",
        str(target),
        "--upgrade",
        "--no-compile",
        "--no-input",
        "--disable-pip-version-check",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", *options, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BuildError(
            Problem(
                file=source,
                what=f"pip could not install what it names for {platform}:\n{done.stderr.strip()}",
            )
        )


def _without_marker(requirement: Requirement) -> str:
    plain = Requirement(str(requirement))
    plain.marker = None
    return str(plain)


def _missing(installed: list[Installed], platform: Platform, python: str) -> list[str]:
    """List the requirements that hold on `platform` and were not installed."""
    environment = platform.marker_environment(python)
    present = {distribution.name for distribution in installed}
    return [
        _without_marker(requirement)
        for distribution in installed
        for requirement in distribution.requires
        if canonicalize_name(requirement.name) not in present
        and (requirement.marker is None or requirement.marker.evaluate(environment))
    ]
