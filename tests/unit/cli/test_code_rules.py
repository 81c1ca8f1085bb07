"""What the build says of code that would keep the plugin from starting."""

import sys
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from mattermost_plugin.cli import BuildError, build_bundle
from mattermost_plugin.cli._code_rules import check_code

RELEASE = f"{sys.version_info.major}.{sys.version_info.minor}"
CLASS = "from mattermost_plugin import Plugin\nclass P(Plugin): pass\n"


def check(folder: Path, code: str, python: str = RELEASE, name: str = "plugin.py") -> list[str]:
    (folder / name).write_text(code, encoding="utf-8")
    said: list[str] = []
    place = PurePosixPath("server", name)
    check_code({place: folder / name}, PurePosixPath("server/plugin.py"), folder, python, said.append)
    return said


@pytest.mark.parametrize(
    "end",
    [
        "P.run()\n",
        "if __name__ == '__main__':\n    P.run()\n",
        "def main(): P.run()\nmain()\n",
        "import runpy\nrunpy.run_module('x')\n",
        "code = P.run()\n",
        "try:\n    P.run()\nfinally:\n    pass\n",
    ],
)
def test_an_entrypoint_that_starts_something_is_taken(tmp_path: Path, end: str) -> None:
    assert check(tmp_path, CLASS + end) == []


@pytest.mark.parametrize("code", ["from app import start\n", "'''Only a text.'''\nimport app\n", ""])
def test_an_entrypoint_that_only_imports_may_start_by_that(tmp_path: Path, code: str) -> None:
    assert check(tmp_path, code) == []


@pytest.mark.parametrize("end", ["", "NAME = str(1)\n", "def main(): P.run()\n", "'''The end.'''\n"])
def test_an_entrypoint_that_starts_nothing_is_refused(tmp_path: Path, end: str) -> None:
    with pytest.raises(BuildError, match=r"^plugin.py: defines things and starts nothing.*\.run\(\)"):
        check(tmp_path, CLASS + end)


def test_another_module_may_only_define(tmp_path: Path) -> None:
    assert check(tmp_path, CLASS, name="parts.py") == []


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("x = (\n", r"^plugin.py:1: is not Python"),
        ("x = 1\n  y = 2\n", r"^plugin.py:2: is not Python: unexpected indent"),
        ("x = 1\0", r"^plugin.py.*: is not Python"),
    ],
)
def test_an_error_of_syntax_is_told_with_its_line(tmp_path: Path, code: str, says: str) -> None:
    with pytest.raises(BuildError, match=says):
        check(tmp_path, code)


def test_code_for_a_later_python_is_not_refused_by_this_one(tmp_path: Path) -> None:
    [said] = check(tmp_path, "x = (\n", python=f"3.{sys.version_info.minor + 1}")
    assert said.startswith("plugin.py:1: is not Python")


def test_a_build_checks_the_code(write_plugin: Callable[..., Path]) -> None:
    folder = write_plugin(files={"words/more.py": "def f(:\n"})
    with pytest.raises(BuildError, match=r"^words/more.py:1: is not Python"):
        build_bundle(folder)
    assert not (folder / "dist").exists()
