"""Reading a plugin's folder: its manifest, what `pyproject.toml` adds, and where its code is."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from mattermost_plugin.cli._manifest_file import read_manifest
from mattermost_plugin.cli._manifest_rules import check_manifest
from mattermost_plugin.cli._policy_rules import PROPS_KEY, check_policy
from mattermost_plugin.cli._problems import BuildError, Problem
from mattermost_plugin.cli._text_files import read_text

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__ = ["Project", "read_project"]

_FROM_PYPROJECT = ("name", "version", "description")
_TABLE = "tool.mattermost-plugin"
_FILE_PATTERNS = ("include", "exclude")


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A plugin's folder, read and found valid.

    Attributes:
        directory: the folder.
        manifest: `plugin.json`, with what `pyproject.toml` adds.
        entrypoint: the script to start, relative to `directory`.
        code: the folder, relative to `directory`, whose files become those below `server/` in the bundle.
        dependencies: the requirements of `pyproject.toml`; None if it has none of its own.
        requires_python: the versions of Python that the plugin runs on.
        include: patterns of files to take though they are left out by default.
        exclude: patterns of files to leave out.
    """

    directory: Path
    manifest: dict[str, Any]
    entrypoint: PurePosixPath
    code: PurePosixPath
    dependencies: tuple[str, ...] | None
    requires_python: SpecifierSet
    include: tuple[str, ...]
    exclude: tuple[str, ...]

    @property
    def id(self) -> str:
        """The plugin's id."""
        return str(self.manifest["id"])

    @property
    def version(self) -> str:
        """The plugin's version."""
        return str(self.manifest["version"])


def read_project(directory: Path) -> Project:
    """Read the plugin in `directory` and check all that can be checked without building it.

    Raises:
        BuildError: with everything that is wrong with its manifest and `pyproject.toml`.
    """
    if not directory.is_dir():
        raise BuildError(Problem(what=f"{directory} is not a folder", fix="name the folder with plugin.json"))
    manifest = read_manifest(directory)
    pyproject = _read_pyproject(directory)
    metadata = _table(pyproject, "project")
    settings = _table(pyproject, _TABLE)
    for key in _FROM_PYPROJECT:
        if key not in manifest and key in metadata:
            manifest[key] = metadata[key]
    problems = check_manifest(manifest, directory)
    problems += _check_settings(settings)
    problems += _merge_policy(manifest, settings)
    requires_python, unreadable = _requires_python(metadata)
    problems += [*unreadable, *_check_dependencies(pyproject, metadata, directory)]
    if problems:
        raise BuildError(problems)
    entrypoint = PurePosixPath(manifest["server"]["entrypoint"])
    in_server_folder = len(entrypoint.parts) > 1 and entrypoint.parts[0] == "server"
    dependencies = metadata.get("dependencies")
    return Project(
        directory=directory,
        manifest=manifest,
        entrypoint=entrypoint,
        code=PurePosixPath("server") if in_server_folder else PurePosixPath(),
        dependencies=None if dependencies is None else tuple(dependencies),
        requires_python=requires_python,
        include=tuple(settings.get("include", ())),
        exclude=tuple(settings.get("exclude", ())),
    )


def _read_pyproject(directory: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_text(directory / "pyproject.toml", "pyproject.toml"))
    except FileNotFoundError:
        return {}
    except tomllib.TOMLDecodeError as error:
        raise BuildError(Problem(file="pyproject.toml", what=f"not TOML: {error}")) from error
    except RecursionError:
        raise BuildError(
            Problem(file="pyproject.toml", what="values are nested too deeply", fix="take fewer levels")
        ) from None


def _table(pyproject: Mapping[str, Any], path: str) -> Mapping[str, Any]:
    table = pyproject
    for key in path.split("."):
        value = table.get(key, {})
        if not isinstance(value, dict):
            raise BuildError(Problem(file="pyproject.toml", key=path, what="not a table"))
        table = value
    return table


def _check_settings(settings: Mapping[str, Any]) -> list[Problem]:
    problems = []
    for key, value in settings.items():
        name = f"{_TABLE}.{key}"
        if key in _FILE_PATTERNS and not _is_list_of_strings(value):
            problems.append(
                Problem(
                    file="pyproject.toml",
                    key=name,
                    what="not a list of patterns",
                    fix='write ["notes/*"] or such',
                )
            )
    return problems


def _is_list_of_strings(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _merge_policy(manifest: dict[str, Any], settings: Mapping[str, Any]) -> list[Problem]:
    """Put what `pyproject.toml` asks of the bridge where the bridge looks: into the manifest's props."""
    asked = {key: value for key, value in settings.items() if key not in _FILE_PATTERNS}
    problems = list(check_policy("pyproject.toml", _TABLE, asked, _FILE_PATTERNS))
    props = manifest.get("props")
    written = props.get(PROPS_KEY, {}) if isinstance(props, dict) else {}
    where = f"props.{PROPS_KEY}"
    if not isinstance(written, dict):
        return problems  # null, or what check_manifest refuses
    problems += check_policy("plugin.json", where, written)
    for key in asked.keys() & written.keys():
        what = f"is set in pyproject.toml too, as {_TABLE}.{key}"
        problems.append(Problem(file="plugin.json", key=f"{where}.{key}", what=what, fix="remove one"))
    if asked and not problems:
        manifest["props"] = {**(props or {}), PROPS_KEY: {**written, **asked}}
    return problems


def _requires_python(metadata: Mapping[str, Any]) -> tuple[SpecifierSet, list[Problem]]:
    text = metadata.get("requires-python", "")
    try:
        if isinstance(text, str):
            return SpecifierSet(text), []
    except InvalidSpecifier:
        pass  # told below, as any other value
    problem = Problem(
        file="pyproject.toml",
        key="project.requires-python",
        what=f"{text!r} is not a version range",
        fix='write ">=3.10" or such',
    )
    return SpecifierSet(), [problem]


def _check_dependencies(
    pyproject: Mapping[str, Any], metadata: Mapping[str, Any], directory: Path
) -> Iterator[Problem]:
    """Find requirements that would be left out, since they stand where only other tools look."""
    listed = metadata.get("dependencies")
    if listed is not None and not _is_list_of_strings(listed):
        yield Problem(
            file="pyproject.toml",
            key="project.dependencies",
            what="not a list of requirements",
            fix='write ["requests>=2"] or such',
        )
    elif listed is not None:
        for text in listed:
            yield from _unreadable(text)
    if listed is not None or (directory / "requirements.txt").exists():
        return
    fix = "list them as project.dependencies, or in requirements.txt"
    dynamic = metadata.get("dynamic")
    if isinstance(dynamic, list) and "dependencies" in dynamic:
        yield Problem(
            file="pyproject.toml",
            key="project.dynamic",
            what="the build does not compute dependencies",
            fix=fix,
        )
    tool = pyproject.get("tool")
    poetry = tool.get("poetry") if isinstance(tool, dict) else None
    named = poetry.get("dependencies") if isinstance(poetry, dict) else None
    if isinstance(named, dict) and set(named) - {"python"}:
        key = "tool.poetry.dependencies"
        yield Problem(file="pyproject.toml", key=key, what="the build does not read this table", fix=fix)


def _unreadable(text: str) -> Iterator[Problem]:
    try:
        Requirement(text)
    except InvalidRequirement as error:
        what = f"{text!r} cannot be read: {error}"
        yield Problem(file="pyproject.toml", key="project.dependencies", what=what)
