"""Text of generated Python modules: docstrings out of Go comments, imports, wrapped lines."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from codegen.python_sentences import in_python

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from codegen.lowered import Schema

WIDTH = 110
_DOC_WIDTH = 100
_DIRECTIVE = re.compile(
    r"^\s*(@tag\b.*|Minimum server version:.*|Note: This method is only.*swagger.*)$", re.IGNORECASE
)
_TAG = re.compile(r"^\s*@tag\s+(?P<name>.+?)\s*$", re.MULTILINE)
_OUTCOME = re.compile(r"^Returns? \((?P<value>true|false), (?P<error>nil|\w+)\) (?P<when>.+)$")
_LIST_ITEM = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s+")
_PREPOSITIONS = "and|at|by|for|from|in|of|on|or|that|to|which|with"
# Notes for those who work on the server: that a flag goes when its feature is released.
_REMOVAL = re.compile(
    r"^FEATURE_FLAG_REMOVAL: \w+(?: - Remove this when .*?(?:is (?:to be )?released|is GA)\b\.?)?\s*"
)
# Identifiers joined by dots, perhaps with a pointer or a doc link around them.
_GO_NAME = re.compile(r"`?\[?\*?(?:\[\]\*?)?\b(?P<chain>[A-Za-z]\w*(?:\.[A-Za-z]\w*)*)\b\]?`?")
# What may be plain English: "Post", "URL", "IDs".
_PLAIN_WORD = re.compile(r"[A-Z]?[a-z0-9]*|[A-Z0-9]+s?")
# What Go's words mean in Python, outside of quotes.
_WORDS = (
    (re.compile(r'(?<!["\w])nil(?!["\w])'), "None"),
    (re.compile(r'(?<!["\w])true(?!["\w])'), "True"),
    (re.compile(r'(?<!["\w])false(?!["\w])'), "False"),
    (re.compile(r"\bslice(s?)\b"), r"list\1"),
    (re.compile(r"\ba map (?=of|with|from)"), "a dict "),
)


def tags(doc: str) -> tuple[str, ...]:
    """Return what the `@tag` lines of a Go comment name."""
    return tuple(match["name"] for match in _TAG.finditer(doc))


@dataclass(frozen=True, slots=True)
class Glossary:
    """Python names for the Go names that comments mention."""

    names: Mapping[str, str]
    fields: Mapping[str, str]

    @classmethod
    def of(cls, schema: Schema) -> Glossary:
        names: dict[str, str] = {}
        for service in schema.services:
            for method in service.methods:
                names[method.go_name] = method.python_name
        for message in schema.messages():
            if message.python_name and message.go_type:
                names[message.go_type.rpartition(".")[2]] = message.python_name
                names.update(dict.fromkeys(message.go_aliases, message.python_name))
        for enum in schema.enums():
            names[enum.go_type.rpartition(".")[2]] = enum.name
            names.update({member.go_name: f"{enum.name}.{member.python_name}" for member in enum.members})
        fields: dict[str, set[str]] = {}
        for field in (field for message in schema.messages() for field in message.fields):
            fields.setdefault(field.go_name, set()).add(field.python_name)
        # A name that two models have under two names stays Go's.
        return cls(names, {name: found.pop() for name, found in fields.items() if len(found) == 1})

    def translate(self, text: str, parameters: Mapping[str, str] | None = None) -> str:
        """Replace Go's names and words in a comment by Python's.

        Args:
            text: A paragraph.
            parameters: Python names of the method's parameters by Go name.
        """
        own = parameters or {}

        def replace(match: re.Match[str]) -> str:
            chain = match["chain"].split(".")
            if len(chain) > 1 and chain[0] in ("model", "plugin") and chain[1][:1].isupper():
                del chain[0]
            marked = match.group() != match["chain"]
            return (
                self._one(chain[0], own, marked=marked) if len(chain) == 1 else self._path(chain, own)
            ) or (match.group())

        text = _GO_NAME.sub(replace, text)
        for word, python in _WORDS:
            text = word.sub(python, text)
        return text

    def _one(self, name: str, parameters: Mapping[str, str], *, marked: bool) -> str:
        """Return the Python name for a Go name that stands alone; nothing if it is none."""
        # One word may be plain English ("Post"), so it needs a sign of being a name.
        if _PLAIN_WORD.fullmatch(name):
            return f"`{self.names[name]}`" if marked and name in self.names else ""
        python = parameters.get(name) or self.names.get(name) or self.fields.get(name)
        if python:
            return f"`{python}`"
        several = self.names.get(name[:-1]) if name.endswith("s") else None
        if several:
            return f"`{several}` objects"
        several = self.fields.get(name[:-1]) if name.endswith("s") else None
        return f"`{several}`s" if several else ""

    def _path(self, chain: list[str], parameters: Mapping[str, str]) -> str:
        """Return the Python name of a field of a field; nothing if it is none."""
        first, *rest = chain
        if not first[:1].isupper():
            found = parameters.get(first, first)
        else:
            found = self.names.get(first) or self.fields.get(first, "")
        if not found or any(name not in self.fields or not name[:1].isupper() for name in rest):
            return ""
        return f"`{'.'.join([found, *(self.fields[name] for name in rest)])}`"


def paragraphs(doc: str) -> list[str]:
    """Split a Go comment into paragraphs and list items, without its directives."""
    result: list[str] = []
    current: list[str] = []

    def flush() -> None:
        if current:
            result.append(" ".join(current))
            current.clear()

    for line in doc.splitlines():
        stripped = line.strip()
        outcome = _OUTCOME.match(stripped)
        if outcome is not None:
            # One line for each tuple that Go may return; what comes with an error is raised in Python.
            flush()
            if outcome["error"] == "nil":
                result.append(f"- {outcome['value'].capitalize()}: {outcome['when']}")
        elif _DIRECTIVE.match(line) or not stripped:
            flush()
        elif _LIST_ITEM.match(line):
            flush()
            current.append("- " + _LIST_ITEM.sub("", line).strip())
        else:
            current.append(stripped)
    flush()
    return result


def description(
    doc: str, go_name: str, glossary: Glossary, parameters: Mapping[str, str] | None = None
) -> list[str]:
    """Return the paragraphs of a Go comment as Python's reader expects them.

    The name that a Go comment begins with goes ("GetUser gets a user" -> "Gets a user.").

    Args:
        doc: The comment.
        go_name: What it is about.
        glossary: Python's names.
        parameters: Python names of a method's parameters by Go name.
    """
    found = [text for paragraph in paragraphs(doc) if (text := in_python(_REMOVAL.sub("", paragraph)))]
    if not found:
        return []
    first = re.sub(rf"^(?:(?:The|A|An)\s+)?{re.escape(go_name)}\s*(?::\s*|,\s*|\s+-\s+)?", "", found[0])
    if first == found[0]:
        # Some comments begin with the name of another method.
        first = re.sub(r"^[A-Z][a-z]+(?:[A-Z][a-z]*)+ (?=[a-z]+ )", "", first)
    # What follows the name tells what it was: the subject of a verb (drop it) or something else.
    if first != found[0] and not re.match(rf"(?!(?:{_PREPOSITIONS})\b)[a-z]+\b", first):
        first = found[0]
    if first != found[0]:
        first = re.sub(r"^will (?=[a-z])", "", first)
        first = re.sub(
            r"^(?:is|are)\s+(?=an?\b|the\b|used\b|invoked\b|called\b|passed\b|sent\b|triggered\b|no\b)",
            "",
            first,
        )
    found[0] = first[:1].upper() + first[1:]
    return [_sentence(glossary.translate(text, parameters)) for text in found]


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text if not text or text[-1] in ".:!?;," else f"{text}."


def summary_and_rest(texts: Sequence[str]) -> tuple[str, list[str]]:
    """Split paragraphs into the first sentence and what follows it."""
    if not texts:
        return "", []
    match = re.match(r"(.+?[.!?])\s+(?=[A-Z`\"'(])", texts[0])
    if match is None or match.group(1).endswith(("e.g.", "i.e.", "etc.", "vs.")):
        return texts[0], list(texts[1:])
    return match.group(1), [texts[0][match.end() :], *texts[1:]]


def docstring(
    summary: str,
    body: Iterable[str] = (),
    sections: Iterable[tuple[str, Sequence[tuple[str, str]]]] = (),
    indent: str = "    ",
) -> str:
    """Lay out a docstring.

    Args:
        summary: The first sentence.
        body: Paragraphs; one that begins with "- " is an item of a list.
        sections: Titles ("Args") with their entries as (name, text); an entry without name is plain text.
        indent: What every line begins with.
    """
    lines = _wrap(summary, indent)
    previous_item = False
    for text in body:
        item = text.startswith("- ")
        if not (item and previous_item):
            lines.append("")
        lines += _wrap(text, indent, hanging="  " if item else "")
        previous_item = item
    for title, entries in sections:
        lines += ["", f"{indent}{title}:"]
        for name, text in entries:
            lines += _wrap(
                f"{name}: {text}" if name else text, indent + "    ", hanging="    " if name else ""
            )
    text = "\n".join(lines).strip()
    text = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    if text.endswith('"'):
        text = f'{text[:-1]}\\"'
    closing = f"\n{indent}" if "\n" in text else ""
    return f'{indent}"""{text}{closing}"""'


def _wrap(text: str, indent: str, hanging: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        width=_DOC_WIDTH,
        initial_indent=indent,
        subsequent_indent=indent + hanging,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [indent]


def imports(modules: Mapping[str, Iterable[str]], indent: str = "") -> list[str]:
    """Write `from module import names` lines, sorted as ruff sorts them; no names means `import module`."""
    plain = sorted(module for module, names in modules.items() if not list(names))
    lines = [f"{indent}import {module}" for module in plain]
    for module in sorted(module for module, names in modules.items() if list(names)):
        names = sorted(set(modules[module]), key=_import_key)
        lines.append(f"{indent}from {module} import {', '.join(names)}")
    return lines


def _import_key(name: str) -> tuple[int, str]:
    # CONSTANTS, then Classes, then functions.
    bare = name.split(" as ", maxsplit=1)[0]
    order = 0 if bare.isupper() and len(bare) > 1 else 1 if bare[:1].isupper() else 2
    return order, bare
