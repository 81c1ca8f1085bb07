from __future__ import annotations

import re
from pathlib import PurePosixPath

import pytest

from codegen.emit_docs import ROOT, emit
from codegen.lowered import MessageKind
from tests.codegen.repository import schema


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return emit(schema())


def anchors(text: str) -> set[str]:
    return {heading.lower() for heading in re.findall(r"^## (\S+)$", text, re.MULTILINE)}


def test_every_link_leads_to_a_heading_of_an_existing_page(pages: dict[str, str]) -> None:
    for path, text in pages.items():
        for target in re.findall(r"\]\(([^)\s]*)\)", text):
            file, _, anchor = target.partition("#")
            parts: list[str] = []
            for part in (*PurePosixPath(path).parent.parts, *PurePosixPath(file).parts):
                parts = parts[:-1] if part == ".." else [*parts, part]
            resolved = "/".join(parts) if file else path
            assert resolved in pages, (path, target)
            assert not anchor or anchor in anchors(pages[resolved]), (path, target)


def test_every_hook_is_on_the_hooks_page(pages: dict[str, str]) -> None:
    names = {method.python_name for method in schema().service("Hooks").methods} - {"implemented"}
    assert anchors(pages[f"{ROOT}/hooks.md"]) == names


def test_every_api_method_is_on_one_page_of_a_group_that_is_named(pages: dict[str, str]) -> None:
    found: list[str] = []
    for path, text in pages.items():
        if path.startswith(f"{ROOT}/api/"):
            found += anchors(text)
    assert sorted(found) == sorted(method.python_name for method in schema().service("API").methods)
    assert f"{ROOT}/api/other.md" not in pages


def test_every_model_and_open_enum_is_described(pages: dict[str, str]) -> None:
    described = set().union(*(anchors(text) for path, text in pages.items() if "/models/" in path))
    models = {
        message.name.lower()
        for message in schema().messages()
        if message.kind is MessageKind.STRUCT and not message.is_exception
    }
    assert described == models | {enum.name.lower() for enum in schema().enums()}


def test_a_method_shows_signature_origin_and_minimum_version(pages: dict[str, str]) -> None:
    text = pages[f"{ROOT}/api/key-value-store.md"]
    section = text.split("## kv_compare_and_set\n")[1].split("\n## ")[0]
    assert "old_value: bytes | None" in section
    assert (
        "- Go: `KVCompareAndSet(key string, oldValue []byte, newValue []byte) (bool, *model.AppError)`"
        in section
    )
    assert re.search(r"- Minimum server version: \d+\.\d+", section)
    assert "- Raises: `AppError`" in section
