"""Checking values by the rules that the bridge has too (`schema/bundle.toml`).

`go/host/rules.go` is the same in Go; tests/bundle/manifests.json holds both to the same verdicts.
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Fault", "Rule", "check_rules", "hook_key"]

_SHOWN = 60
"""How many characters of a wrong value an error shows."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What the value of one key has to be.

    Attributes:
        key: the key, with dots between levels.
        kind: the kind of value.
        expects: what to write, for people.
        required: whether the key has to be there.
        pattern: what the whole of a text matches; empty: any text.
        example: what to write, literally.
        choices: what a choice is one of.
        minimum: the lowest number.
        above: whether a number has to be above `minimum`.
        maximum: the highest number.
    """

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


@dataclass(frozen=True, slots=True)
class Fault:
    """A key whose value breaks its rule: `what` is wrong and how to `fix` it."""

    key: str
    what: str
    fix: str


def check_rules(
    rules: tuple[Rule, ...], document: Mapping[str, Any], hooks: tuple[str, ...]
) -> Iterator[Fault]:
    """Find what breaks `rules` in `document`; below a value that is no object nothing is looked for.

    Args:
        rules: the rules, a key's own after that of the key above it.
        document: the object, as JSON or TOML has it.
        hooks: the Go names of all hooks.
    """
    known = {hook_key(hook) for hook in hooks}
    broken: set[str] = set()
    for rule in rules:
        parent, _, name = rule.key.rpartition(".")
        if parent in broken:
            broken.add(rule.key)
            continue
        table = _find(document, parent)
        value = table.get(name) if table is not None else None
        if value is None:
            if rule.required and table is not None:
                broken.add(rule.key)
                yield Fault(rule.key, "missing", _fix(rule))
            continue
        for fault in _faults(rule, value, known):
            broken.add(rule.key)
            yield fault


def hook_key(hook: str) -> str:
    """Fold the Go name and the Python name of a hook into one."""
    return hook.replace("_", "").lower()


def _find(document: Mapping[str, Any], path: str) -> Mapping[str, Any] | None:
    table: Any = document
    for key in path.split(".") if path else ():
        table = table.get(key)
        if table is None:
            return None
    found: Mapping[str, Any] = table
    return found


def _faults(rule: Rule, value: Any, hooks: set[str]) -> Iterator[Fault]:
    if rule.kind == "seconds_by_hook" and isinstance(value, dict):
        for hook, limit in value.items():
            key = f"{rule.key}.{hook}"
            if hook_key(hook) not in hooks:
                yield Fault(key, "there is no such hook", "")
            elif not _fits_number(rule, limit):
                yield Fault(key, _wrong(rule.expects, limit), "")
    elif rule.kind == "seconds_by_hook":
        yield Fault(rule.key, _wrong("an object", value), 'write {"message_will_be_posted": 5} or such')
    elif not _FITS[rule.kind](rule, value):
        yield Fault(rule.key, _wrong(rule.expects, value), _fix(rule))


def _wrong(expects: str, value: Any) -> str:
    shown = json.dumps(value, ensure_ascii=False, default=str)
    if len(shown) > _SHOWN:
        shown = f"{shown[:_SHOWN]}..."
    return f"must be {expects}, not {shown}"


def _fix(rule: Rule) -> str:
    return f"write {rule.example} or such" if rule.example else ""


def _fits_text(rule: Rule, value: Any) -> bool:
    return isinstance(value, str) and (not rule.pattern or re.fullmatch(rule.pattern, value) is not None)


def _fits_path(_: Rule, value: Any) -> bool:
    if not isinstance(value, str) or not value or value.startswith("/") or re.search(r"[\\\x00-\x1f]", value):
        return False
    return ".." not in value.split("/") and any(part not in ("", ".") for part in value.split("/"))


def _fits_texts(_: Rule, value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _fits_runtimes(_: Rule, value: Any) -> bool:
    names = value if isinstance(value, list) else [value]
    return bool(names) and all(
        isinstance(name, str) and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+-]*", name) for name in names
    )


def _fits_number(rule: Rule, value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return False
    return rule.minimum <= value <= rule.maximum and not (rule.above and value == rule.minimum)


def _fits_count(rule: Rule, value: Any) -> bool:
    return isinstance(value, int) and _fits_number(rule, value)


_FITS: Mapping[str, Callable[[Rule, Any], bool]] = {
    "text": _fits_text,
    "path": _fits_path,
    "texts": _fits_texts,
    "runtimes": _fits_runtimes,
    "object": lambda _, value: isinstance(value, dict),
    "choice": lambda rule, value: value in rule.choices,
    "seconds": _fits_number,
    "count": _fits_count,
    "flag": lambda _, value: isinstance(value, bool),
}
