"""Reads ``schema/bundle.toml``: what the bridge and the build both ask of a bundle's plugin.json."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codegen.problems import CodegenError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SOURCE = "schema/bundle.toml"

_KINDS = {
    "text": "a string",
    "path": "a path inside the bundle, relative to plugin.json, with forward slashes",
    "texts": "a list of strings",
    "runtimes": "the name of a program on PATH, or a list of such names",
    "object": "an object",
    "choice": "",
    "seconds": "a number of seconds",
    "seconds_by_hook": "a number of seconds",
    "count": "a whole number",
    "flag": "true or false",
}
_NUMBERS = ("seconds", "seconds_by_hook", "count")
_YEAR = 365 * 24 * 3600


class BundleSchemaError(CodegenError):
    """An entry of ``schema/bundle.toml`` cannot be used."""


@dataclass(frozen=True, slots=True)
class BundleRule:
    """What one key has to be."""

    key: str
    kind: str
    expects: str
    required: bool = False
    pattern: str = ""
    example: str = ""
    choices: tuple[str, ...] = ()
    minimum: float = 0
    above: bool = False
    maximum: float = 0
    default: Any = None
    executable_default: Any = None
    go_type: str = ""
    doc: str = ""

    @property
    def go_field(self) -> str:
        """The name of a setting's field in Go."""
        return "".join(word.capitalize() for word in self.key.split("_"))


@dataclass(frozen=True, slots=True)
class BundleSchema:
    """Both tables."""

    manifest: tuple[BundleRule, ...]
    settings: tuple[BundleRule, ...]


def load(root: Path | None = None) -> BundleSchema:
    """Read the tables below ``root``, by default those of this repository.

    Raises:
        BundleSchemaError: An entry has an unknown kind or key, or a default that breaks its own rule.
    """
    path = (root or Path(__file__).parent.parent) / SOURCE
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    return BundleSchema(
        tuple(_rule(entry) for entry in data["manifest"]), tuple(_rule(entry) for entry in data["setting"])
    )


def _rule(entry: dict[str, Any]) -> BundleRule:
    values = dict(entry)
    key, kind = values["key"], values["kind"]
    if kind not in _KINDS:
        raise BundleSchemaError(f"{SOURCE}: {key}: unknown kind {kind!r}")
    values["choices"] = tuple(values.get("choices", ()))
    if kind in _NUMBERS:
        values["above"] = "above" in values
        values["minimum"] = entry.get("above", entry.get("minimum", 0))
        values["maximum"] = entry.get("maximum", _YEAR)
    values.setdefault("expects", _expects(values))
    try:
        rule = BundleRule(**values)
        re.compile(rule.pattern)
    except (TypeError, re.error) as error:
        raise BundleSchemaError(f"{SOURCE}: {key}: {error}") from error
    for default in (rule.default, rule.executable_default):
        if isinstance(default, (int, float)) and kind in _NUMBERS and default < rule.minimum:
            raise BundleSchemaError(f"{SOURCE}: {key}: {default} is below its own minimum")
    return rule


def _expects(values: dict[str, Any]) -> str:
    kind = values["kind"]
    if kind == "choice":
        return " or ".join(json.dumps(choice) for choice in values["choices"])
    text = _KINDS[kind]
    if kind in _NUMBERS:
        lowest = f"above {values['minimum']}" if values["above"] else f"from {values['minimum']}"
        return f"{text} {lowest}, at most {values['maximum']}"
    return text
