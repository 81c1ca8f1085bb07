"""What authors read in generated docstrings and in the reference is about Python's values."""

from __future__ import annotations

import ast
import inspect
import re
from typing import TYPE_CHECKING

import pytest

import mattermost_plugin
from codegen import emit_docs, emit_python_api, emit_python_hooks, emit_python_models
from codegen.python_sentences import SENTENCES
from codegen.python_text import paragraphs
from mattermost_plugin import errors, models
from tests.codegen.repository import schema

if TYPE_CHECKING:
    from collections.abc import Iterator

# What only Go has, or has under this name.
GO = re.compile(
    r"""\b(?: nil | slices? | structs? | pointers? | goroutines? | interface(?:\ values?|\{\})? | func | chan
        | u?int(?:8|16|32|64) | float(?:32|64) | rune | gob | golang | (?:un)?marshal\w* | dest | errs?
        | primitive | receiver | swagger | (?<!")(?:true|false)(?!") | non-nil | \w+\.go
        | (?:app|store)\.[A-Za-z]\w+ | (?:model|plugin)\.[A-Z]\w+
        | error\ (?:is|was|will\ be)\ returned | return(?:s|ed)?\ (?:an|any|the)?\ ?error )\b
        | map\[ | \[\]\w | &\w+\{ | (?<![\w*])\*[A-Z]\w+ | \bapp-layer\b | != | ==\ None""",
    re.VERBOSE,
)
# Names in CamelCase or camelCase, alone or after a dot.
NAME = re.compile(r"\b(?:[A-Z]+[a-z0-9]+[A-Z]\w*|[a-z]+[A-Z]\w*|[a-z]\w*\.[A-Z]\w*)\b")
PYTHONS = {
    *mattermost_plugin.__all__,
    *models.__all__,
    *errors.__all__,
    "AsyncAPI",
    "AsyncReader",
    "AsyncWriter",
}
# Products and formats, and what a manifest and JavaScript call their own.
PROPER = {
    "AuthZEN",
    "JavaScript",
    "LibreTranslate",
    "OpenGraph",
    "OpenID",
    "PluginTransport",
    "PostgreSQL",
    "WebSocket",
    "attributes.Team",  # in an expression in CEL
    "registerAdminConsoleCustomSection",
    "zA",  # in a regular expression
}
# Where a text names what it comes from.
ORIGIN = re.compile(
    r"``[\w.]+``|^Models of Mattermost's `\w+\.go`\.$|^- Go: .*|^Go: .*|.* Go: `[\w.]+`$"
    r"|^\| `[A-Z\d_]+` \| `\w+` \|"
)


def docstrings() -> Iterator[tuple[str, str]]:
    for emitter in (emit_python_api, emit_python_hooks, emit_python_models):
        for path, source in emitter.emit(schema()).items():
            for node in ast.walk(ast.parse(source)):
                if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                    yield f"{path}:{node.lineno}", inspect.cleandoc(str(node.value.value))


def reference() -> Iterator[tuple[str, str]]:
    for path, text in emit_docs.emit(schema()).items():
        yield path, re.sub(r"^```.*?^```$|\A<!--.*?-->", "", text, flags=re.DOTALL | re.MULTILINE)


def in_go(text: str) -> Iterator[str]:
    for line in text.splitlines():
        said = ORIGIN.sub("", re.sub(r"\]\([^)]*\)", "]", line))
        yield from (match.group() for match in GO.finditer(said))
        for match in NAME.finditer(said):
            *owner, name = match.group().split(".")
            # A module of this package may stand before a name: `http.PluginTransport`.
            if match.group() not in PROPER and (name not in PYTHONS | PROPER or owner not in ([], ["http"])):
                yield match.group()


@pytest.mark.parametrize("texts", [docstrings, reference])
def test_what_is_generated_for_authors_has_no_words_of_go(texts) -> None:  # type: ignore[no-untyped-def]
    found = [f"{place}: {word}" for place, text in texts() for word in in_go(text)]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "Returns nil if there is none.",
        "A slice of ids.",
        "Give it a *model.Post.",
        "Takes a map[string]any.",
        "If an error is returned, it stops.",
        "The value of CreateAt.",
        "See cfg.TeamSettings.",
    ],
)
def test_words_of_go_are_recognized(text: str) -> None:
    assert list(in_go(text))


def test_every_sentence_that_is_told_differently_stands_in_a_comment() -> None:
    contract = schema()
    comments = [method.doc for service in contract.services for method in service.methods]
    for message in contract.messages():
        comments += [message.doc, *(field.doc for field in message.fields)]
    for enum in contract.enums():
        comments += [enum.doc, *(member.doc for member in enum.members)]
    said = {paragraph for comment in comments for paragraph in paragraphs(comment)}
    assert [go for go in SENTENCES if not any(go in paragraph for paragraph in said)] == []
