"""What `settings_schema` of a manifest has to be, so that the System Console shows each setting."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mattermost_plugin.cli._known_keys import misspelt
from mattermost_plugin.cli._problems import Problem

__all__ = ["SCHEMA_KEYS", "check_settings_schema"]

SCHEMA_KEYS = ("header", "footer", "settings", "sections")
_SECTION_KEYS = ("key", "title", "subtitle", "settings", "header", "footer", "custom", "fallback")
_SETTING_KEYS = (
    "key", "display_name", "type", "help_text", "regenerate_help_text", "placeholder", "default", "options",
    "hosting", "secret",
)  # fmt: skip

_CHOICES = ("dropdown", "radio")
_FREE_TEXT = ("generated", "text", "longtext", "number", "username", "custom")
_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
_TYPES = ("bool", *_CHOICES, *_FREE_TEXT)


def check_settings_schema(schema: Any) -> Iterator[Problem]:
    """Find all that is wrong with a manifest's `settings_schema`; None is a manifest without one."""
    if schema is None:
        return
    if not isinstance(schema, dict):
        yield _problem("settings_schema", "not an object", 'write {"settings": [...]}')
        return
    yield from _check_texts("settings_schema", schema, ("header", "footer"))
    seen: dict[str, str] = {}
    yield from _check_list("settings_schema.settings", schema.get("settings"), seen)
    sections = schema.get("sections")
    if sections is not None and not isinstance(sections, list):
        yield _problem("settings_schema.sections", "not a list")
        return
    for index, section in enumerate(sections or ()):
        where = f"settings_schema.sections[{index}]"
        if not isinstance(section, dict):
            yield _problem(where, "not an object")
            continue
        yield from misspelt(section, _SECTION_KEYS, f"{where}.")
        yield from _check_texts(where, section, ("title", "subtitle", "header", "footer"))
        yield from _check_flags(where, section, ("custom", "fallback"))
        if not isinstance(section.get("key"), str) or not section["key"]:
            yield _problem(f"{where}.key", "missing", "give each section a key of its own")
        yield from _check_list(f"{where}.settings", section.get("settings"), seen)


def _problem(key: str, what: str, fix: str = "") -> Problem:
    return Problem(file="plugin.json", key=key, what=what, fix=fix)


def _check_texts(where: str, table: Mapping[str, Any], keys: tuple[str, ...]) -> Iterator[Problem]:
    for key in keys:
        if not isinstance(table.get(key) or "", str):
            yield _problem(f"{where}.{key}", f"{table[key]!r} is not a string")


def _check_flags(where: str, table: Mapping[str, Any], keys: tuple[str, ...]) -> Iterator[Problem]:
    for key in keys:
        if not isinstance(table.get(key) or False, bool):
            yield _problem(f"{where}.{key}", f"{table[key]!r} is not true or false")


def _check_list(where: str, settings: Any, seen: dict[str, str]) -> Iterator[Problem]:
    if settings is not None and not isinstance(settings, list):
        yield _problem(where, "not a list", 'write [{"key": "...", "type": "text", ...}]')
        return
    for index, setting in enumerate(settings or ()):
        place = f"{where}[{index}]"
        if not isinstance(setting, dict):
            yield _problem(place, "not an object")
            continue
        yield from misspelt(setting, _SETTING_KEYS, f"{place}.")
        yield from _check_key(f"{place}.key", setting.get("key"), seen)
        yield from _check_setting(place, setting)


def _check_key(where: str, key: Any, seen: dict[str, str]) -> Iterator[Problem]:
    if not isinstance(key, str) or not key:
        yield _problem(where, "missing", "name the setting as the plugin will read it")
        return
    # The server stores the keys of a plugin's settings in lower case.
    if first := seen.get(key.lower()):
        yield _problem(where, f"{key!r} is used by {first} already (the case of letters does not count)")
    seen.setdefault(key.lower(), where)


def _check_setting(where: str, setting: Mapping[str, Any]) -> Iterator[Problem]:
    kind = setting.get("type")
    if kind not in _TYPES:
        what = "missing" if kind is None else f"{kind!r} is no type of a setting"
        yield _problem(f"{where}.type", what, f"known are {', '.join(_TYPES)}")
        return
    yield from _check_texts(
        where, setting, ("display_name", "help_text", "placeholder", "regenerate_help_text")
    )
    yield from _check_flags(where, setting, ("secret",))
    if setting.get("regenerate_help_text") and kind != "generated":
        yield _problem(f"{where}.regenerate_help_text", f"a setting of type {kind} has none", "remove it")
    if setting.get("placeholder") and kind not in _FREE_TEXT:
        yield _problem(f"{where}.placeholder", f"a setting of type {kind} has none", "remove it")
    if setting.get("hosting", "") not in ("", "cloud", "on-prem"):
        yield _problem(f"{where}.hosting", f"{setting['hosting']!r} is unknown", "write cloud or on-prem")
    if kind in _CHOICES:
        yield from _check_options(where, setting)
    elif setting.get("options") is not None:
        yield _problem(
            f"{where}.options", f"a setting of type {kind} has none", "make it a dropdown or radio"
        )
    yield from _check_default(where, kind, setting.get("default"))


def _check_options(where: str, setting: Mapping[str, Any]) -> Iterator[Problem]:
    options = setting.get("options")
    fix = 'write [{"display_name": "Red", "value": "red"}, ...]'
    if not isinstance(options, list) or not options:
        yield _problem(f"{where}.options", "missing" if options is None else "not a list of options", fix)
        return
    values = []
    for index, option in enumerate(options):
        for key in ("display_name", "value"):
            value = option.get(key) if isinstance(option, dict) else None
            if not isinstance(value, str) or not value:
                yield _problem(f"{where}.options[{index}].{key}", "missing or no string", fix)
        if isinstance(option, dict):
            yield from misspelt(option, ("display_name", "value"), f"{where}.options[{index}].")
        values.append(option.get("value") if isinstance(option, dict) else None)
    if setting.get("default") not in (None, "", *values):
        yield _problem(f"{where}.default", f"{setting['default']!r} is none of the options")


def _check_default(where: str, kind: str, default: Any) -> Iterator[Problem]:
    if default is None:
        return
    if kind == "bool" and not isinstance(default, bool) and default not in ("true", "false"):
        yield _problem(f"{where}.default", f"{default!r} is not true or false")
    if kind == "number" and (isinstance(default, bool) or _NUMBER.fullmatch(str(default)) is None):
        yield _problem(f"{where}.default", f"{default!r} is not a number")
    if kind in ("text", "longtext", "username") and not isinstance(default, str):
        yield _problem(f"{where}.default", f"{default!r} is not a string")
