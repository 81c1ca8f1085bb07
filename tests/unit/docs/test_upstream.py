"""The page for the server's engineers names files and tests: all of them are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.adoption.edits import ADOPTION

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "upstream.md").read_text(encoding="utf-8")
NAMES = sorted(set(re.findall(r"`([\w./-]+)`", PAGE)))
PATHS = [name for name in NAMES if re.match(r"(go|tests|schema)/", name)]
TESTS = [name for name in NAMES if re.match(r"(Test[A-Z]|test_)\w+$", name)]


def sources(folder: str, pattern: str) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / folder).rglob(pattern)))


@pytest.fixture(scope="module")
def every_test() -> set[str]:
    go = re.findall(r"(?m)^func (Test\w+)\(", sources("go", "*_test.go"))
    python = re.findall(r"(?m)^(?:async )?def (test_\w+)\(", sources("tests", "test_*.py"))
    return {*go, *python}


@pytest.mark.parametrize("path", PATHS)
def test_a_path_that_is_named_is_there(path: str) -> None:
    assert (ROOT / path).exists()


@pytest.mark.parametrize("name", TESTS)
def test_a_test_that_is_named_is_there(name: str, every_test: set[str]) -> None:
    assert name in every_test


@pytest.mark.parametrize(("file", "names"), re.findall(r"`([\w./-]+\.(?:go|py))`: ((?:`\w+`(?:, )?)+)", PAGE))
def test_a_test_is_in_the_file_that_is_named_with_it(file: str, names: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    for name in re.findall(r"`(\w+)`", names):
        assert re.search(rf"(?m)^(?:func|def|async def) {name}\(", text), name


def test_the_page_names_what_make_adoption_changes_in_the_server() -> None:
    table = PAGE.split("## What changes in the server", 1)[1].split("### Into", 1)[0]
    named = set(re.findall(r"(?m)^\| `([\w./]+)` \|", table))
    assert named == {edit.file for edit in ADOPTION} | {"go.mod"}


def test_many_are_named() -> None:
    assert min(len(PATHS), len(TESTS)) > 30
