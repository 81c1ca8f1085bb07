"""Running pip to install a plugin's requirements into a folder, for this machine or another."""

import hashlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from mattermost_plugin.cli._installed import Installed, read_installed
from mattermost_plugin.cli._pip_process import run_pip
from mattermost_plugin.cli._platforms import Platform
from mattermost_plugin.cli._problems import BuildError, Problem
from mattermost_plugin.cli._requirements_file import RequirementsFile
from mattermost_plugin.cli._sdk_wheel import DISTRIBUTION

__all__ = ["Requirements", "install"]

_ROUNDS = 10
"""How deep requirements that hold for another platform only may be nested."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirements:
    """What a bundle has to contain beside the author's files.

    Attributes:
        sdk: the SDK as a wheel.
        python: the release of Python that it is for, such as `3.11`.
        folder: the plugin's folder, where relative paths in requirements start.
        file: the author's `requirements.txt`, or None.
        listed: the requirements that `pyproject.toml` lists, found valid, looked at only without `file`.
    """

    sdk: Path
    python: str
    folder: Path
    file: RequirementsFile | None
    listed: tuple[str, ...]

    @property
    def source(self) -> str:
        """Where the requirements are written, as the author knows it."""
        return self.file.path.name if self.file else "pyproject.toml"


def install(
    requirements: Requirements, platform: Platform, target: Path, report: Callable[[str], None]
) -> None:
    """Install the requirements for `platform` into the folder `target`.

    Raises:
        BuildError: the condition of a requirement cannot be decided, or pip failed, whose own words
            `report` was called with.
    """
    wanted = _wanted(requirements, platform, target.parent)
    options = ["--upgrade", "--no-user", "--no-compile", "--no-input", "--disable-pip-version-check"]
    options = ["install", "--quiet", "--target", str(target.absolute()), *options]
    failure = Problem(
        file=requirements.source,
        what=f"pip could not install what it names for {platform}",
        fix="see what pip wrote, above",
    )
    extra: list[str] = []
    missing: list[str] = []
    for _ in range(_ROUNDS):
        arguments = [*options, *_selection(requirements, platform), *wanted, *extra]
        run_pip(arguments, requirements.folder, target.parent, failure, report)
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
            requirement = Requirement(text)
            if _holds(requirement, environment, requirements.source):
                wanted.append(_without_marker(requirement))
        return wanted
    found = requirements.file
    if not found.hashed and not found.altered:
        return [str(requirements.sdk), "-r", str(found.path)]
    rest, extras = found.without(DISTRIBUTION) if found.hashed else (found, "")
    lines = list(rest.lines)
    if rest.constraints:
        lines.append(f"-c {_write(scratch / f'constraints-{platform}.txt', rest.constraints).as_uri()}")
    if not found.hashed:
        return [str(requirements.sdk), "-r", str(_write(scratch / f"requirements-{platform}.txt", lines))]
    # The SDK that is vendored has a hash of its own, other than a released one.
    digest = hashlib.sha256(requirements.sdk.read_bytes()).hexdigest()
    lines.append(f"{DISTRIBUTION}{extras} @ {requirements.sdk.as_uri()} --hash=sha256:{digest}")
    return ["-r", str(_write(scratch / f"requirements-{platform}.txt", lines))]


def _write(path: Path, lines: list[str]) -> Path:
    # With a mark, so that no release of pip asks the locale for the encoding.
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8-sig")
    return path


def _holds(requirement: Requirement, environment: dict[str, str], source: str) -> bool:
    try:
        return requirement.marker is None or requirement.marker.evaluate(environment)
    except (UndefinedComparison, UndefinedEnvironmentName) as error:
        what = f"the condition of {str(requirement)!r} cannot be decided: {error}"
        raise BuildError(Problem(file=source, what=what, fix="write another one")) from error


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
        and _holds(requirement, environment, distribution.name)
    ]
