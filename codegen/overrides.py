"""Reads ``schema/overrides.toml`` and notices entries that nothing asks for."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from codegen.problems import CodegenError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class FieldOverride:
    """A field that the Go signature does not have."""

    name: str
    type: str
    doc: str = ""


@dataclass(frozen=True, slots=True)
class MethodOverride:
    """How a method departs from its Go signature."""

    special: str = ""
    request: tuple[FieldOverride, ...] | None = None
    request_extra: tuple[FieldOverride, ...] = ()
    response: tuple[FieldOverride, ...] | None = None
    request_stream: str = ""
    response_stream: str = ""
    results_last: bool = False
    unchanged: str = ""
    policy: str = ""  # why, where the signature does not say that the hook may reject


class StaleOverridesError(CodegenError):
    """Entries of the overrides match nothing in the contract."""


class Overrides:
    """The exceptions, each looked up by what it is about.

    Every look-up that finds an entry marks it as used; :meth:`check_used` raises for the rest.
    """

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.words: Mapping[str, str] = dict(data.get("words", {}))
        self.names: Mapping[str, str] = dict(data.get("names", {}))
        self.merged_files: tuple[str, ...] = tuple(data.get("merged_files", {}).get("names", ()))
        self.exceptions: tuple[str, ...] = tuple(data.get("exceptions", {}))
        self._tables: dict[str, dict[str, Any]] = {
            "type_prefixes": dict(data.get("type_prefixes", {})),
            "type_names": dict(data.get("type_names", {})),
            "files": dict(data.get("files", {})),
            "exceptions": dict(data.get("exceptions", {})),
            "go_getters": dict(data.get("go_getters", {})),
            "nullable": dict(data.get("nullable", {})),
            "docs": dict(data.get("docs", {})),
            "methods": {key: _method(value) for key, value in data.get("methods", {}).items()},
        }
        known = {*self._tables, "words", "names", "merged_files"}
        if unknown := sorted(set(data) - known):
            raise ValueError(f"overrides: unknown tables: {', '.join(unknown)}")
        self._unused = {(table, key) for table, entries in self._tables.items() for key in entries}

    @classmethod
    def load(cls, path: Path) -> Overrides:
        """Read the file."""
        return cls(tomllib.loads(path.read_text(encoding="utf-8")))

    def _get(self, table: str, key: str) -> Any:
        self._unused.discard((table, key))
        return self._tables[table].get(key)

    def type_prefix(self, package: str) -> str:
        """Return what the names of a Go package's types begin with."""
        return str(self._get("type_prefixes", package) or "")

    def type_name(self, key: str) -> str | None:
        """Return the name of the message for a Go type, where it is not made by rule."""
        value = self._get("type_names", key)
        return None if value is None else str(value)

    def file_stem(self, file: str) -> str | None:
        """Return the stem of the .proto file for a Go file, where it is not the base name."""
        value = self._get("files", file)
        return None if value is None else str(value)

    def exception(self, key: str) -> str:
        """Return the Python exception for a Go struct that is an error, or ""."""
        return str(self._get("exceptions", key) or "")

    def go_getter(self, path: str) -> str:
        """Return the Go method that reads ``package.Type.Field``, where it is not to be read itself."""
        return str(self._get("go_getters", path) or "")

    def doc(self, path: str, comment: str) -> str:
        """Return what to say about ``package.Type.Field`` instead of its Go comment."""
        value = self._get("docs", path)
        return comment if value is None else str(value)

    def nullable(self, path: str) -> bool:
        """Whether None is a meaningful value of ``Interface.Method.parameter``."""
        return self._get("nullable", path) is not None

    def method(self, path: str) -> MethodOverride:
        """Return the departures of ``Interface.Method``."""
        value = self._get("methods", path)
        return value if isinstance(value, MethodOverride) else MethodOverride()

    def check_used(self) -> None:
        """Raise StaleOverridesError if an entry was never looked up."""
        if self._unused:
            listed = ", ".join(f"{table}.{key}" for table, key in sorted(self._unused))
            raise StaleOverridesError(f"schema/overrides.toml: nothing matches {listed}")


def _fields(items: Any) -> tuple[FieldOverride, ...]:
    return tuple(FieldOverride(**item) for item in items)


def _method(data: Mapping[str, Any]) -> MethodOverride:
    values = dict(data)
    for key in ("request", "request_extra", "response"):
        if key in values:
            values[key] = _fields(values[key])
    return MethodOverride(**values)
