"""What is refused in plugin.json before its keys are looked at, and which encodings are read."""

import codecs
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mattermost_plugin.cli import BuildError
from mattermost_plugin.cli._manifest_file import read_manifest
from mattermost_plugin.cli._project import read_project

WritePlugin = Callable[..., Path]


def problems(folder: Path, content: str | bytes) -> list[str]:
    folder.mkdir(exist_ok=True)
    data = content if isinstance(content, bytes) else content.encode()
    (folder / "plugin.json").write_bytes(data)
    with pytest.raises(BuildError) as refused:
        read_manifest(folder)
    return [str(problem) for problem in refused.value.problems]


def test_every_key_that_is_given_twice_is_named_with_its_place(tmp_path: Path) -> None:
    text = """{"version": "1.0.0", "version": "1.0.0", "server": {"runtime": "a", "runtime": "b"},
        "settings_schema": {"settings": [{"key": "A"}, {"key": "B", "key": "C", "key": "D"}]}}"""
    assert problems(tmp_path, text) == [
        "plugin.json: version: is given twice; remove one",
        "plugin.json: server.runtime: is given twice; remove one",
        "plugin.json: settings_schema.settings[1].key: is given twice; remove one",
    ]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e400", "9" * 400, "9" * 5000])
def test_a_number_that_a_server_cannot_read_is_refused(tmp_path: Path, number: str) -> None:
    [problem] = problems(tmp_path, f'{{"props": {{"limit": {number}}}}}')
    assert problem.endswith("is not a number that a server can read")
    assert len(problem) < 100


def test_half_a_surrogate_pair_is_refused_in_keys_and_values(tmp_path: Path) -> None:
    told = problems(tmp_path, r'{"name": "\ud83d", "props": {"\ude00": 1, "whole": "\ud83d\ude00"}}')
    assert [problem.split(": ")[1] for problem in told] == ["name", r"props.\ude00"]


@pytest.mark.parametrize("depth", [150, 5_000, 200_000])
def test_deep_nesting_is_refused(tmp_path: Path, depth: int) -> None:
    text = f'{{"props": {"[" * depth}{"]" * depth}}}'
    assert problems(tmp_path, text) == ["plugin.json: has values nested deeper than 100 levels; take fewer"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b'{"name": "caf\xe9"}', "not UTF-8 text at line 1; save the file as UTF-8"),
        (b'{\n // the name\n"name": "x"}', "not JSON: Expecting property name"),
        (b"", "not JSON: Expecting value at line 1, column 1; JSON has no comments"),
        (b"[1]", 'not a JSON object; begin with {"id": "...", ...}'),
    ],
)
def test_what_is_no_manifest_is_one_line(tmp_path: Path, content: bytes, problem: str) -> None:
    [told] = problems(tmp_path, content)
    assert problem in told


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [(codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF32_BE, "utf-32-be")],
)
def test_a_byte_order_mark_tells_the_encoding(tmp_path: Path, mark: bytes, encoding: str) -> None:
    (tmp_path / "plugin.json").write_bytes(mark + json.dumps({"name": "Grüße"}).encode(encoding))
    assert read_manifest(tmp_path) == {"name": "Grüße"}


def test_keys_of_props_may_differ_in_case_only(tmp_path: Path) -> None:
    (tmp_path / "plugin.json").write_text('{"props": {"a": 1, "A": 2}}', encoding="utf-8")
    assert read_manifest(tmp_path) == {"props": {"a": 1, "A": 2}}


@pytest.mark.parametrize(
    ("pyproject", "problem"),
    [
        ("[project]\ndependencies = 5\n", "project.dependencies: not a list of requirements"),
        ("[project]\ndependencies = [5]\n", "project.dependencies: not a list of requirements"),
        ('[project]\ndynamic = ["dependencies"]\n', "project.dynamic: the build does not compute"),
        ('[tool.poetry.dependencies]\npython = "3"\nhpack = "4"\n', "tool.poetry.dependencies: the build"),
        ("[project]\nrequires-python = 3.11\n", "project.requires-python: 3.11 is not a version range"),
        ("[project]\nrequires-python = ['>=3']\n", "project.requires-python: ['>=3'] is not a version"),
        ("a = " + "[" * 3000 + "]" * 3000, "values are nested too deeply"),
        ("name = 'caf\udce9'", "not UTF-8 text at line 1; save the file as UTF-8"),
        ("[project]\n[project]\n", "not TOML: Cannot declare"),
    ],
)
def test_what_pyproject_says_and_the_build_cannot_follow_is_refused(
    write_plugin: WritePlugin, pyproject: str, problem: str
) -> None:
    folder = write_plugin()
    (folder / "pyproject.toml").write_text(pyproject, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(BuildError) as refused:
        read_project(folder)
    assert f"pyproject.toml: {problem}" in str(refused.value)


def test_requirements_of_another_table_are_no_problem_beside_a_requirements_file(
    write_plugin: WritePlugin,
) -> None:
    poetry = '[tool.poetry.dependencies]\nhpack = "4"\n'
    folder = write_plugin(files={"pyproject.toml": poetry, "requirements.txt": "hpack\n"})
    assert read_project(folder).dependencies is None
