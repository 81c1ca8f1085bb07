"""Go comments become docstrings of Python."""

from __future__ import annotations

import ast

import pytest

from codegen.python_format import format_python
from codegen.python_text import Glossary, description, docstring, imports, paragraphs, summary_and_rest, tags
from tests.codegen.repository import schema

GLOSSARY = Glossary.of(schema())


@pytest.mark.parametrize(
    ("doc", "name", "expected"),
    [
        ("GetUser gets a user.", "GetUser", ["Gets a user."]),
        ("GetUser will get a user", "GetUser", ["Get a user."]),
        ("GetTeam gets all teams.", "GetTeams", ["Gets all teams."]),
        ("OnActivate is invoked at start.", "OnActivate", ["Invoked at start."]),
        ("Name of the argument", "Name", ["Name of the argument."]),
        ("Post is a message.", "Post", ["A message."]),
        ("See GetUser or [model.Channel].", "X", ["See `get_user` or `Channel`."]),
        ("Returns nil on success", "X", ["Returns None on success."]),
        ("Uses ChannelTypeOpen by default.", "X", ["Uses `ChannelType.OPEN` by default."]),
        ("A Post in a Channel.", "X", ["A Post in a Channel."]),
        ("X does it.\n\n@tag Plugin\nMinimum server version: 5.2", "X", ["Does it."]),
        ("One:\n - a\n - b", "X", ["One:", "- a.", "- b."]),
        ("", "X", []),
    ],
)
def test_a_comment_is_told_in_pythons_names(doc: str, name: str, expected: list[str]) -> None:
    assert description(doc, name, GLOSSARY) == expected


def test_outcomes_of_go_are_what_python_returns() -> None:
    doc = (
        "Sets it.\nReturns (false, err) if the database fails\nReturns (true, nil) if it was set\n"
        "Returns (false, nil) if not"
    )
    assert paragraphs(doc) == ["Sets it.", "- True: if it was set", "- False: if not"]


def test_tags_are_found() -> None:
    assert tags("Does it.\n\n@tag Plugin\n@tag Post\nMinimum server version: 5.2") == ("Plugin", "Post")


def test_the_first_sentence_is_the_summary() -> None:
    assert summary_and_rest(["Does it. Then rests.", "More."]) == ("Does it.", ["Then rests.", "More."])
    assert summary_and_rest(["Uses e.g. a list."]) == ("Uses e.g. a list.", [])
    assert summary_and_rest([]) == ("", [])


@pytest.mark.parametrize("text", ['Say "hi"', "A \\ b", 'Three """ quotes', "Plain."])
def test_a_docstring_says_what_it_was_given(text: str) -> None:
    source = "def f():\n" + docstring(text, ["Body."], [("Args", [("x", "What it is.")])]) + "\n"
    read = ast.get_docstring(ast.parse(source).body[0])  # type: ignore[arg-type]
    assert read == f"{text}\n\nBody.\n\nArgs:\n    x: What it is."


def test_long_docstrings_are_wrapped() -> None:
    text = docstring("word " * 60, ["- item " * 30], [("Returns", [("", "more " * 40)])])
    assert max(map(len, text.splitlines())) <= 103  # and the quotes


def test_imports_are_written_sorted_and_laid_out() -> None:
    lines = imports({"b": ["x", "Y", "Zed"], "a": []})
    assert lines == ["import a", "from b import Y, Zed, x"]
    text = "from __future__ import annotations\nimport b\nimport a\nprint( a,b )\n"
    assert format_python({"m/x.py": text}) == {
        "m/x.py": "from __future__ import annotations\n\nimport a\nimport b\n\nprint(a, b)\n"
    }


def test_what_ruff_cannot_read_is_refused() -> None:
    with pytest.raises(RuntimeError, match=r"ruff format failed: .*x\.py"):
        format_python({"x.py": "def ("})
