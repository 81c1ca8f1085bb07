"""What a plugin's manifest has to be: the server's rules, the bridge's, and those of a plugin in Python.

The server applies its own rules when a bundle is uploaded, ignores keys that it does not know, and says
little about either; here they are all checked at build, each with the key and the way to mend it. What
the bridge checks too is `MANIFEST` of `_bundle_schema`.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from mattermost_plugin.cli._bundle_schema import HOOKS, MANIFEST
from mattermost_plugin.cli._known_keys import misspelt
from mattermost_plugin.cli._problems import Problem
from mattermost_plugin.cli._rules import check_rules
from mattermost_plugin.cli._settings_rules import SCHEMA_KEYS, check_settings_schema

__all__ = ["DEFAULT_RUNTIME", "check_manifest"]

DEFAULT_RUNTIME = "python3"

_KNOWN_KEYS = {
    "": (
        "id", "name", "description", "homepage_url", "support_url", "release_notes_url", "icon_path",
        "version", "min_server_version", "server", "webapp", "settings_schema", "props",
    ),
    "server": ("entrypoint", "executable", "executables", "runtime", "runtime_args"),
    "webapp": ("bundle_path",),
    "settings_schema": SCHEMA_KEYS,
}  # fmt: skip
_SEMVER = re.compile(
    r"(0|[1-9]\d{0,17})\.(0|[1-9]\d{0,17})\.(0|[1-9]\d{0,17})"
    r"(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?"
    r"(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?",
    re.ASCII,
)
_URL = re.compile(r"https?://[^\s/]+\S*")
_FIXES = {
    "id": "write a name you control backwards, such as com.example.hello",
    "server.runtime": "write python3 or such, or leave it out",
    "server.entrypoint": "name the script that calls run(), such as plugin.py",
}
_LONGEST_VERSION = 100
"""The version is part of the archive's name."""


def check_manifest(manifest: Mapping[str, Any], directory: Path) -> list[Problem]:
    """List all that is wrong with the manifest of the plugin in `directory`, in the order of its keys."""
    shared = list(_shared_rules(manifest))
    broken = {problem.key for problem in shared}
    return [
        *_misspelt_keys(manifest),
        *shared,
        *_check_identity(manifest),
        *_check_links(manifest, directory),
        *_check_server(manifest, broken, directory),
        *_check_webapp(manifest.get("webapp"), directory),
        *check_settings_schema(manifest.get("settings_schema")),
    ]


def _problem(key: str, what: str, fix: str = "") -> Problem:
    return Problem(file="plugin.json", key=key, what=what, fix=fix)


def _shared_rules(manifest: Mapping[str, Any]) -> Iterator[Problem]:
    server = manifest.get("server")
    if isinstance(server, dict) and server.get("runtime") is None:
        manifest = {**manifest, "server": {**server, "runtime": DEFAULT_RUNTIME}}  # as the build fills in
    for fault in check_rules(MANIFEST, manifest, HOOKS):
        yield _problem(fault.key, fault.what, _FIXES.get(fault.key, fault.fix))


def _misspelt_keys(manifest: Mapping[str, Any]) -> Iterator[Problem]:
    """Find keys that look like a misspelt one; others are left to servers newer than this."""
    for level, known in _KNOWN_KEYS.items():
        table = manifest.get(level) if level else manifest
        yield from misspelt(table if isinstance(table, dict) else (), known, f"{level}." if level else "")


def _check_identity(manifest: Mapping[str, Any]) -> Iterator[Problem]:
    name = manifest.get("name")
    if name is None or (isinstance(name, str) and not name.strip()):
        fix = "write the name that people will see, here or as project.name in pyproject.toml"
        yield _problem("name", "missing" if name is None else f"{name!r} is not a name", fix)
    if "version" not in manifest:
        yield _problem(
            "version", "missing", "write 0.1.0 or such, here or as project.version in pyproject.toml"
        )
    for key in ("version", "min_server_version"):
        value = manifest.get(key, "0.0.0")
        if not isinstance(value, str) or _SEMVER.fullmatch(value) is None:
            yield _problem(key, f"{value!r} is not of the form major.minor.patch", "write 1.2.0 or such")
        elif len(value) > _LONGEST_VERSION:
            yield _problem(key, f"has {len(value)} characters", f"take at most {_LONGEST_VERSION}")
    if not isinstance(manifest.get("description", ""), str):
        yield _problem("description", f"{manifest['description']!r} is not a string")


def _check_links(manifest: Mapping[str, Any], directory: Path) -> Iterator[Problem]:
    for key in ("homepage_url", "support_url", "release_notes_url"):
        value = manifest.get(key, "")
        if value != "" and (not isinstance(value, str) or _URL.fullmatch(value) is None):
            yield _problem(key, f"{value!r} is not a link", "write https://... in full")
    icon = manifest.get("icon_path", "")
    if icon != "":
        yield from _check_path("icon_path", icon, directory)
        if isinstance(icon, str) and not icon.endswith(".svg"):
            yield _problem("icon_path", f"{icon!r} is not an SVG file", "only SVG icons are shown")


def _check_server(manifest: Mapping[str, Any], broken: set[str], directory: Path) -> Iterator[Problem]:
    server = manifest.get("server")
    if not isinstance(server, dict):
        return
    for key in ("executable", "executables", "requires_python"):
        if server.get(key):
            yield _problem(f"server.{key}", "this is filled in by the build", "remove it")
    if "server.entrypoint" not in broken:
        yield from _check_path("server.entrypoint", server["entrypoint"], directory)


def _check_webapp(webapp: Any, directory: Path) -> Iterator[Problem]:
    if webapp is None:
        return
    if not isinstance(webapp, dict) or "bundle_path" not in webapp:
        yield _problem("webapp.bundle_path", "missing", "name the built script, such as webapp/dist/main.js")
        return
    yield from _check_path("webapp.bundle_path", webapp["bundle_path"], directory)


def _check_path(key: str, value: Any, directory: Path) -> Iterator[Problem]:
    if not isinstance(value, str) or not value:
        yield _problem(key, f"{value!r} is not a path")
        return
    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts or "\\" in value or "\0" in value:
        fix = "write it relative to plugin.json, with forward slashes and without '..'"
        yield _problem(key, f"{value!r} does not lie inside the plugin's folder", fix)
    elif not _is_file(directory / path):
        yield _problem(key, f"there is no file {value!r}", "name a file of the plugin's folder")
    elif not (directory / path).resolve().is_relative_to(directory.resolve()):
        yield _problem(
            key, f"{value!r} is a link that leads out of the plugin's folder", "put the file there"
        )


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that is too long, a loop of links
        return False
