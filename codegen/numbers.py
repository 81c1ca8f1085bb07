"""Field numbers, kept for ever in ``schema/numbers.lock``.

The lock has one line per field, value or method::

    Post.message 4 string
    Post.old_field 7 repeated string removed
    GoKind.GO_KIND_INT 1 value
    API.GetUser 0 GetUserRequest -> GetUserResponse

A number once given stays with its name. Something that disappears is marked ``removed`` and becomes
``reserved`` in protobuf; should it come back, then under its old number and with its old type.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from codegen.problems import CodegenError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_HEADER = (
    "# Numbers of the wire contract. Written by the generator, which only ever adds; never edit by hand.\n"
)
_REMOVED = " removed"


class BreakingChangeError(CodegenError):
    """What is to be generated would not understand what was generated before."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What the lock knows of one name."""

    number: int
    type: str
    removed: bool = False


class NumbersLock:
    """The numbers given so far, and those given now."""

    def __init__(self, entries: Mapping[str, Mapping[str, Entry]] | None = None) -> None:
        self._entries: dict[str, dict[str, Entry]] = {
            owner: dict(members) for owner, members in (entries or {}).items()
        }
        self._seen: set[str] = set()
        self._breaks: list[str] = []

    @classmethod
    def parse(cls, text: str) -> NumbersLock:
        """Read a lock file's text."""
        entries: dict[str, dict[str, Entry]] = {}
        for line in text.splitlines():
            if not line or line.startswith("#"):
                continue
            path, number, kind = line.split(" ", 2)
            owner, _, name = path.partition(".")
            removed = kind.endswith(_REMOVED)
            entry = Entry(int(number), kind.removesuffix(_REMOVED), removed)
            entries.setdefault(owner, {})[name] = entry
        lock = cls(entries)
        lock._check_unique()
        return lock

    def _check_unique(self) -> None:
        for owner, members in self._entries.items():
            numbers = [entry.number for entry in members.values() if "->" not in entry.type]
            if len(numbers) != len(set(numbers)):
                raise BreakingChangeError(f"schema/numbers.lock: {owner} uses a number twice")

    def assign(self, owner: str, fields: Iterable[tuple[str, str]]) -> dict[str, int]:
        """Return the numbers of a message's fields, giving new ones to new fields.

        Args:
            owner: Name of the message.
            fields: Name and type of each field.
        """
        self._seen.add(owner)
        known = self._entries.setdefault(owner, {})
        wanted = dict(fields)
        following = max((entry.number for entry in known.values()), default=0) + 1
        for name, kind in wanted.items():
            if name not in known:
                known[name] = Entry(following, kind)
                following += 1
            self._keep(owner, name, kind)
        self._remove(owner, wanted)
        return {name: known[name].number for name in wanted}

    def fix(self, owner: str, members: Mapping[str, tuple[int, str]]) -> None:
        """Record things whose numbers are given elsewhere: enum values, and methods (always 0)."""
        self._seen.add(owner)
        known = self._entries.setdefault(owner, {})
        for name, (number, kind) in members.items():
            if name in known and known[name].number != number:
                self._breaks.append(f"{owner}.{name}: number {known[name].number} cannot become {number}")
            known.setdefault(name, Entry(number, kind))
            self._keep(owner, name, kind)
        self._remove(owner, members)

    def _keep(self, owner: str, name: str, kind: str) -> None:
        entry = self._entries[owner][name]
        if entry.type != kind:
            self._breaks.append(f"{owner}.{name}: type {entry.type!r} cannot become {kind!r}")
        self._entries[owner][name] = replace(entry, removed=False)

    def _remove(self, owner: str, wanted: Mapping[str, object]) -> None:
        known = self._entries[owner]
        for name in known:
            if name not in wanted:
                known[name] = replace(known[name], removed=True)

    def removed(self, owner: str) -> dict[str, int]:
        """Return the names and numbers that a message has no longer."""
        members = self._entries.get(owner, {})
        return {name: entry.number for name, entry in members.items() if entry.removed}

    def finish(self) -> None:
        """Mark what was not asked for as removed; raise BreakingChangeError if anything broke."""
        for owner in self._entries:
            if owner not in self._seen:
                self._remove(owner, {})
        if self._breaks:
            listed = "\n  ".join(self._breaks)
            raise BreakingChangeError(
                f"the wire contract would break:\n  {listed}\n"
                "Give the new thing another name (schema/overrides.toml), or begin a new protobuf package."
            )

    def text(self) -> str:
        """Return the lock file's text."""
        lines = [
            f"{owner}.{name} {entry.number} {entry.type}{_REMOVED if entry.removed else ''}"
            for owner, members in sorted(self._entries.items())
            for name, entry in sorted(members.items(), key=lambda item: (item[1].number, item[0]))
        ]
        return _HEADER + "\n".join(lines) + "\n"
