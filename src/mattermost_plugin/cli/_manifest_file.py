"""Reading plugin.json so that all who read it find the same in it."""

import json
import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mattermost_plugin.cli._problems import BuildError, Problem
from mattermost_plugin.cli._text_files import read_text

__all__ = ["read_manifest"]

_NAME = "plugin.json"
_DEEPEST = 100
"""How deep values may be nested. The deepest of Mattermost's own keys has six levels."""


class _Object(dict[str, Any]):
    """A JSON object that remembers which keys it was given twice."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        counts = Counter(key for key, _ in pairs)
        self.twice = [key for key, count in counts.items() if count > 1]


def read_manifest(directory: Path) -> dict[str, Any]:
    """Read the manifest of the plugin in `directory`.

    Raises:
        BuildError: there is none, or it is not JSON that every parser reads alike: a key is given twice, a
            number or a character exists in some languages only.
        OSError: it cannot be read.
    """
    for name in ("plugin.yaml", "plugin.yml"):
        if (directory / name).exists():
            raise BuildError(
                Problem(file=name, what="only plugin.json is read", fix="write the manifest as plugin.json")
            )
    try:
        text = read_text(directory / _NAME, _NAME)
    except FileNotFoundError:
        fix = "name the plugin's folder, or start one with `mattermost-plugin new DIR`"
        raise BuildError(Problem(file=_NAME, what=f"not found in {directory}", fix=fix)) from None
    manifest = _parse(text)
    if not isinstance(manifest, dict):
        raise BuildError(Problem(file=_NAME, what="not a JSON object", fix='begin with {"id": "...", ...}'))
    if problems := list(_ambiguities(manifest)):
        raise BuildError(problems)
    return manifest


def _parse(text: str) -> Any:
    try:
        return json.loads(
            text,
            object_pairs_hook=_Object,
            parse_constant=_refuse_number,
            parse_float=_parse_float,
            parse_int=_parse_int,
        )
    except json.JSONDecodeError as error:
        what = f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        fix = "JSON has no comments and no comma after the last value"
        raise BuildError(Problem(file=_NAME, what=what, fix=fix)) from error
    except RecursionError:
        raise BuildError(_too_deep()) from None


def _parse_float(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _refuse_number(text)


def _parse_int(text: str) -> int:
    _parse_float(text)  # the server reads all numbers as floating point
    return int(text)


def _refuse_number(text: str) -> Any:
    shown = text if len(text) <= 20 else f"{text[:20]}..."
    raise BuildError(Problem(file=_NAME, what=f"{shown} is not a number that a server can read"))


def _too_deep() -> Problem:
    return Problem(file=_NAME, what=f"has values nested deeper than {_DEEPEST} levels", fix="take fewer")


def _ambiguities(manifest: dict[str, Any]) -> Iterator[Problem]:
    # A stack of its own: the parser goes deeper than Python functions may.
    pending: list[tuple[str, Any, int]] = [("", manifest, 0)]
    while pending:
        place, value, depth = pending.pop(0)
        if depth > _DEEPEST:
            yield _too_deep()
            return
        if isinstance(value, _Object):
            prefix = f"{place}." if place else ""
            for key in value.twice:
                yield Problem(file=_NAME, key=_shown(prefix + key), what="is given twice", fix="remove one")
            for key in value:
                if not _is_text(key):
                    yield _no_character(prefix + key)
            pending += [(prefix + key, item, depth + 1) for key, item in value.items()]
        elif isinstance(value, list):
            pending += [(f"{place}[{index}]", item, depth + 1) for index, item in enumerate(value)]
        elif isinstance(value, str) and not _is_text(value):
            yield _no_character(place)


def _is_text(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _shown(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()


def _no_character(place: str) -> Problem:
    what = "has half of a pair of \\u escapes, which is no character"
    return Problem(file=_NAME, key=_shown(place), what=what, fix="write the character itself")
