"""What a plugin's manifest has to be: the server's rules, and those for a plugin in Python.

The server applies its own rules when a bundle is uploaded, ignores keys that it does not know, and says
little about either; here they are all checked at build, each with the key and the way to mend it.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from mattermost_plugin.cli._problems import Problem
from mattermost_plugin.cli._settings_rules import check_settings_schema

__all__ = ["check_manifest"]

_KNOWN_KEYS = {
    "": (
        "id", "name", "description", "homepage_url", "support_url", "release_notes_url", "icon_path",
        "version", "min_server_version", "server", "webapp", "settings_schema", "props",
    ),
    "server": ("entrypoint", "executable", "executables", "runtime", "runtime_args"),
    "webapp": ("bundle_path",),
}  # fmt: skip
_ID = re.compile(r"[a-z0-9_.-]+")
_SEMVER = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?"
    r"(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?"
)
_URL = re.compile(r"https?://[^\s/]+\S*")


def check_manifest(manifest: Mapping[str, Any], directory: Path) -> list[Problem]:
    """List all that is wrong with the manifest of the plugin in `directory`, in the order of its keys."""
    return [
        *_unknown_keys(manifest),
        *_check_identity(manifest),
        *_check_links(manifest, directory),
        *_check_server(manifest.get("server"), directory),
        *_check_webapp(manifest.get("webapp"), directory),
        *check_settings_schema(manifest.get("settings_schema")),
        *_check_props(manifest.get("props")),
    ]


def _problem(key: str, what: str, fix: str = "") -> Problem:
    return Problem(file="plugin.json", key=key, what=what, fix=fix)


def _unknown_keys(manifest: Mapping[str, Any]) -> Iterator[Problem]:
    """Find keys that look like a misspelt one; others are left to servers newer than this."""
    for level, known in _KNOWN_KEYS.items():
        table = manifest.get(level) if level else manifest
        for key in table if isinstance(table, dict) else ():
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.8) if key not in known else ()
            if near:
                prefix = f"{level}." if level else ""
                yield _problem(f"{prefix}{key}", "unknown key", f"did you mean {prefix}{near[0]}?")


def _check_identity(manifest: Mapping[str, Any]) -> Iterator[Problem]:
    example = "write a name you control backwards, such as com.example.hello"
    match manifest.get("id"):
        case None:
            yield _problem("id", "missing", example)
        case str(id) if not 3 <= len(id) <= 190:
            yield _problem("id", f"{id!r} has {len(id)} characters, not 3 to 190", example)
        case str(id) if _ID.fullmatch(id) is None:
            yield _problem("id", f"{id!r} has other characters than a-z 0-9 . _ -", example)
        case str():
            pass
        case other:
            yield _problem("id", f"{other!r} is not a string", example)
    name = manifest.get("name")
    if not isinstance(name, str) or not name.strip():
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


def _check_server(server: Any, directory: Path) -> Iterator[Problem]:
    if not isinstance(server, dict):
        what = "missing" if server is None else "not an object"
        yield _problem("server", what, 'write {"entrypoint": "plugin.py"}')
        return
    for key in ("executable", "executables"):
        if server.get(key):
            yield _problem(f"server.{key}", "this is filled in by the build", "remove it")
    if "entrypoint" not in server:
        yield _problem("server.entrypoint", "missing", "name the script that calls run(), such as plugin.py")
    else:
        yield from _check_path("server.entrypoint", server["entrypoint"], directory)
    runtime = server.get("runtime", "python3")
    if not isinstance(runtime, str) or not runtime or runtime.split() != [runtime]:
        yield _problem("server.runtime", f"{runtime!r} is not the name of a program", "write python3 or such")
    arguments = server.get("runtime_args", [])
    if not isinstance(arguments, list) or not all(isinstance(item, str) for item in arguments):
        yield _problem("server.runtime_args", "not a list of strings", 'write ["-X", "dev"] or such')


def _check_webapp(webapp: Any, directory: Path) -> Iterator[Problem]:
    if webapp is None:
        return
    if not isinstance(webapp, dict) or "bundle_path" not in webapp:
        yield _problem("webapp.bundle_path", "missing", "name the built script, such as webapp/dist/main.js")
        return
    yield from _check_path("webapp.bundle_path", webapp["bundle_path"], directory)


def _check_props(props: Any) -> Iterator[Problem]:
    if props is not None and not isinstance(props, dict):
        yield _problem("props", "not an object", "write {}")


def _check_path(key: str, value: Any, directory: Path) -> Iterator[Problem]:
    if not isinstance(value, str) or not value:
        yield _problem(key, f"{value!r} is not a path")
        return
    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts or "\\" in value:
        fix = "write it relative to plugin.json, with forward slashes and without '..'"
        yield _problem(key, f"{value!r} does not lie inside the plugin's folder", fix)
    elif not (directory / path).is_file():
        yield _problem(key, f"there is no file {value!r}", "name a file of the plugin's folder")
    elif not (directory / path).resolve().is_relative_to(directory.resolve()):
        yield _problem(
            key, f"{value!r} is a link that leads out of the plugin's folder", "put the file there"
        )
