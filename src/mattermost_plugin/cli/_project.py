"""Reading a plugin's folder: its manifest, what `pyproject.toml` adds, and where its code is."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from mattermost_plugin.cli._manifest_rules import check_manifest
from mattermost_plugin.cli._policy_rules import PROPS_KEY, check_policy
from mattermost_plugin.cli._problems import BuildError, Problem

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
    manifest = _read_manifest(directory)
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
    if problems or unreadable:
        raise BuildError([*problems, *unreadable])
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


def _read_manifest(directory: Path) -> dict[str, Any]:
    for name in ("plugin.yaml", "plugin.yml"):
        if (directory / name).exists():
            raise BuildError(
                Problem(file=name, what="only plugin.json is read", fix="write the manifest as plugin.json")
            )
    path = directory / "plugin.json"
    try:
        manifest: Any = json.loads(
            path.read_text(encoding="utf-8"), object_pairs_hook=_without_repeats, parse_constant=_refuse
        )
    except FileNotFoundError:
        raise BuildError(
            Problem(
                file="plugin.json",
                what=f"not found in {directory}",
                fix="name the plugin's folder, or start one with `mattermost-plugin new DIR`",
            )
        ) from None
    except UnicodeDecodeError as error:
        raise BuildError(Problem(file="plugin.json", what=f"not UTF-8 text: {error}")) from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise BuildError(Problem(file="plugin.json", what=f"not JSON: {error.msg} at {where}")) from error
    except RecursionError:
        raise BuildError(Problem(file="plugin.json", what="is nested too deeply")) from None
    if not isinstance(manifest, dict):
        raise BuildError(
            Problem(file="plugin.json", what="not a JSON object", fix='begin with {"id": "...", ...}')
        )
    return manifest


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        what = f"the key {twice!r} stands twice in one object"
        raise BuildError(Problem(file="plugin.json", key=twice, what=what, fix="remove one of them"))
    return found


def _refuse(constant: str) -> Any:
    raise BuildError(
        Problem(file="plugin.json", what=f"{constant} is not JSON", fix="write a number or null")
    )


def _read_pyproject(directory: Path) -> dict[str, Any]:
    try:
        return tomllib.loads((directory / "pyproject.toml").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BuildError(Problem(file="pyproject.toml", what=f"not TOML: {error}")) from error


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
        return SpecifierSet(text), []
    except (InvalidSpecifier, TypeError, AttributeError):
        problem = Problem(
            file="pyproject.toml",
            key="project.requires-python",
            what=f"{text!r} is not a version range",
            fix='write ">=3.10" or such',
        )
        return SpecifierSet(), [problem]
