"""Every name the generated code uses is made here, once, from the Go name.

Exceptions to the rules are data (``schema/overrides.toml``, tables ``words`` and ``names``), not code.
"""

from __future__ import annotations

import keyword
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# A plural acronym ("IDs"), an acronym before a capitalised word or an end ("KV" in "KVSet"), a capitalised
# word, a lower-case word. Digits belong to what they follow ("S3", "Office365").
_WORD = re.compile(r"[A-Z]{2,}s(?![a-z])|[A-Z]+(?![a-z])[0-9]*|[A-Z][a-z]+[0-9]*|[a-z]+[0-9]*|[0-9]+")


class Namer:
    """Turns Go names into names of the other languages.

    Args:
        words: Spellings that the rules would tear apart, and what they become ("OAuth" -> "oauth").
        exceptions: Whole Go names and their snake_case form, where neither rules nor words serve.
    """

    def __init__(self, words: Mapping[str, str], exceptions: Mapping[str, str]) -> None:
        self._exceptions = dict(exceptions)
        ordered = sorted(words, key=len, reverse=True)
        # Marked by capitals on both sides, so that the splitting rules see one capitalised word.
        self._words = {word: words[word].capitalize() for word in ordered}
        self._pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def split(self, name: str) -> list[str]:
        """Split a Go name into its words, as written."""
        if self._pattern is not None:
            name = self._pattern.sub(lambda match: self._words[match.group()], name)
        return _WORD.findall(name)

    def snake(self, name: str) -> str:
        """Return the snake_case form of a Go name: ``KVSet`` -> ``kv_set``."""
        if name in self._exceptions:
            return self._exceptions[name]
        return "_".join(word.lower() for word in self.split(name))

    def constant(self, name: str) -> str:
        """Return the UPPER_CASE form of a Go name."""
        return self.snake(name).upper()

    def members(self, type_name: str, constants: Sequence[str]) -> list[str]:
        """Name the members of an enum after its Go constants.

        What all constants begin with is dropped (``ChannelTypeOpen`` -> ``OPEN``), be it the type's name
        or not; a single constant loses the type's name only.
        """
        split = [self.split(constant) for constant in constants]
        type_words = self.split(type_name)
        common = _common_prefix([*split, type_words]) if len(split) == 1 else _common_prefix(split)
        members = ["_".join(words[common:]).upper() for words in split]
        if not all(member.isidentifier() for member in members):
            members = ["_".join(words).upper() for words in split]
        return members


def python_identifier(name: str) -> str:
    """Return a name that is no Python keyword: ``from`` -> ``from_``."""
    return f"{name}_" if keyword.iskeyword(name) else name


def exported(name: str) -> str:
    """Return a Go name with a capital first letter."""
    return name[:1].upper() + name[1:]


def go_camel_case(name: str) -> str:
    """Return the Go identifier that protoc-gen-go makes of a protobuf name.

    An underscore before a lower-case letter goes and capitalises it; a leading one becomes an X.
    """
    result: list[str] = []
    index = 0
    while index < len(name):
        char = name[index]
        following = name[index + 1] if index + 1 < len(name) else ""
        if char == "_" and index == 0:
            result.append("X")
        elif char == "_" and following.islower():
            pass
        elif char.isdigit() or char == "_":
            result.append(char)
        else:
            end = index + 1
            while end < len(name) and name[end].islower():
                end += 1
            result.append(char.upper() + name[index + 1 : end])
            index = end
            continue
        index += 1
    return "".join(result)


# Methods of every generated Go message; a field of that name gets an underscore appended.
_GO_MESSAGE_METHODS = (
    "Reset",
    "String",
    "ProtoMessage",
    "Marshal",
    "Unmarshal",
    "ExtensionRangeArray",
    "ExtensionMap",
    "Descriptor",
)


def pb_go_fields(names: Iterable[tuple[str, str]]) -> tuple[list[str], dict[str, str]]:
    """Name the Go struct fields of a message as protoc-gen-go does.

    Args:
        names: For each field in order its protobuf name and that of its oneof, or "".

    Returns:
        The Go names of the fields, and those of the oneofs by protobuf name.
    """
    used = set(_GO_MESSAGE_METHODS)
    oneofs: dict[str, str] = {}
    fields: list[str] = []

    def unique(name: str, *, getter: bool) -> str:
        while name in used or (getter and f"Get{name}" in used):
            name += "_"
        used.add(name)
        if getter:
            used.add(f"Get{name}")
        return name

    for name, oneof in names:
        fields.append(unique(go_camel_case(name), getter=True))
        if oneof and oneof not in oneofs:
            oneofs[oneof] = unique(go_camel_case(oneof), getter=False)
    return fields, oneofs


def _common_prefix(names: Sequence[Sequence[str]]) -> int:
    count = 0
    for words in zip(*names, strict=False):
        if len(set(words)) > 1:
            break
        count += 1
    return count
