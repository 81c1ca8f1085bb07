"""The core of the endpoint as compiled modules, and as the sources that they are made from."""

import ast
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import mattermost_plugin
from tests.compiling import CAN_COMPILE

SOURCES = Path(mattermost_plugin.__path__[0])
WHERE = "import mattermost_plugin._grpc.client as c; print(c.__file__)"

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("mattermost_plugin_speed") is None and not CAN_COMPILE,
    reason="there is no C compiler",
)


AWAITS = ast.Await, ast.AsyncFor, ast.AsyncWith


def compiled_sources() -> list[Path]:
    """Return the sources that speed/setup.py names."""
    setup = ast.parse((Path(__file__).parents[3] / "speed/setup.py").read_text())
    (names,) = (
        ast.literal_eval(statement.value)
        for statement in setup.body
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "MODULES"
    )
    return [SOURCES / "_grpc" / f"{name}.py" for name in names]


def awaits_in_finally(code: str) -> list[int]:
    """Return the lines of each `await` that stands within a `finally`."""
    return [
        inner.lineno
        for outer in ast.walk(ast.parse(code))
        if isinstance(outer, ast.Try)
        for statement in outer.finalbody
        for inner in ast.walk(statement)
        if isinstance(inner, AWAITS)
    ]


def python(code: str, **variables: str) -> tuple[str, str]:
    """Run code in a new interpreter; return what it prints and what it warns of."""
    environment = {key: value for key, value in os.environ.items() if key != "MATTERMOST_PLUGIN_PURE"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment | variables, capture_output=True, text=True, check=True)
    return done.stdout.strip(), done.stderr


def test_the_core_is_compiled_where_it_can_be() -> None:
    where, warned = python(WHERE)
    assert Path(where).suffix in {".so", ".pyd"}, "make setup compiles it"
    assert "mattermost_plugin_speed" in where
    assert not warned


def test_the_sources_run_where_the_environment_asks_for_them() -> None:
    where, warned = python(WHERE, MATTERMOST_PLUGIN_PURE="1")
    assert where == str(SOURCES / "_grpc/client.py")
    assert not warned


def test_modules_compiled_from_other_sources_are_not_used(tmp_path: Path) -> None:
    changed = tmp_path / "mattermost_plugin"
    shutil.copytree(SOURCES, changed, ignore=shutil.ignore_patterns("__pycache__"))
    with (changed / "_grpc/client.py").open("a") as source:
        source.write("\nCHANGED = True\n")
    where, warned = python(WHERE.replace("print(", "assert c.CHANGED; print("), PYTHONPATH=str(tmp_path))
    assert where == str(changed / "_grpc/client.py")
    assert "install the same version of both" in warned


@pytest.mark.parametrize("source", compiled_sources(), ids=lambda path: path.stem)
def test_no_compiled_coroutine_awaits_in_a_finally(source: Path) -> None:
    # In what mypyc 2.4 makes of it, such a coroutine may raise the exception that an earlier one ended with.
    assert awaits_in_finally(source.read_text()) == []


def test_an_await_in_a_finally_is_found() -> None:
    code = "async def f():\n try:\n  await g()\n finally:\n  if x:\n   await h()\n"
    assert awaits_in_finally(code) == [6]
