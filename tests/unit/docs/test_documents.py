"""What the documents show is run, and what they point at is there."""

import json
import re
import shlex
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from mattermost_plugin import errors
from mattermost_plugin.cli._main import _parser
from mattermost_plugin.cli._project import read_project

ROOT = Path(__file__).parents[3]
FOR_AUTHORS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
ALL = [
    *FOR_AUTHORS,
    ROOT / "CONTRIBUTING.md",
    *sorted(ROOT.glob("docs/*/*.md")),
    *ROOT.glob("examples/*/README.md"),
]


def blocks(document: Path, language: str) -> Iterator[str]:
    fences = re.finditer(
        rf"^```{language}\n(.*?)^```", document.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    yield from (fence[1] for fence in fences)


def numbered(language: str) -> list[object]:
    return [
        pytest.param(text, id=f"{document.relative_to(ROOT)}-{number}")
        for document in FOR_AUTHORS
        for number, text in enumerate(blocks(document, language), 1)
    ]


def name_of(document: Path) -> str:
    return str(document.relative_to(ROOT))


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    (tmp_path / "plugin.py").touch()
    manifest = {
        "id": "com.example.hello",
        "name": "Hello",
        "version": "1.0.0",
        "server": {"entrypoint": "plugin.py"},
    }
    (tmp_path / "plugin.json").write_text(json.dumps(manifest), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("code", numbered("python"))
def test_python_in_a_document_can_be_imported(code: str, tmp_path: Path) -> None:
    """Importing a plugin checks its hooks: they have to exist and to have the right parameters."""
    (tmp_path / "shown.py").write_text(code, encoding="utf-8")
    command = [sys.executable, "-W", "error", "-c", "import shown"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_python_in_the_documents_passes_strict_type_checking(tmp_path: Path) -> None:
    names = []
    for document in FOR_AUTHORS:
        for number, code in enumerate(blocks(document, "python"), 1):
            names.append(f"{document.stem.replace('-', '_')}_{number}.py")
            (tmp_path / names[-1]).write_text(code, encoding="utf-8")
    assert names
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), *names]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("text", numbered("json"))
def test_manifests_in_a_document_are_accepted(text: str, plugin: Path) -> None:
    (plugin / "plugin.json").write_text(text, encoding="utf-8")
    assert read_project(plugin).id == json.loads(text)["id"]


@pytest.mark.parametrize("text", numbered("toml"))
def test_settings_in_a_document_are_accepted(text: str, plugin: Path) -> None:
    (plugin / "pyproject.toml").write_text(text, encoding="utf-8")
    read_project(plugin)


@pytest.mark.parametrize("document", ALL, ids=name_of)
def test_commands_in_a_document_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    for command in re.findall(r"(?:^|`)make ([a-z-]+(?: [a-z-]+)*)(?:`|$)", text, re.MULTILINE):
        assert set(command.split()) <= set(targets), f"make {command}"
    for command in re.findall(r"(?:^|`)mattermost-plugin ((?:build|new) [^`#\n]+)", text, re.MULTILINE):
        if "..." not in command:
            _parser().parse_args(shlex.split(command))


@pytest.mark.parametrize("document", ALL, ids=name_of)
def test_links_in_a_document_lead_somewhere(document: Path) -> None:
    for target, anchor in re.findall(
        r"\]\((?!https?://)([^)#]*)(?:#([^)]*))?\)", document.read_text(encoding="utf-8")
    ):
        path = (document.parent / target).resolve() if target else document
        assert path.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in slugs, f"{target}#{anchor}"


def test_the_exceptions_that_authors_read_about_are_all_that_there_are() -> None:
    text = (ROOT / "docs/errors-and-logging.md").read_text(encoding="utf-8")
    (drawn,) = re.findall(r"^PluginError\n(?:[│├└ ]+.*\n)+", text, re.MULTILINE)
    names = set(re.findall(r"^[│├└─ ]*(\w+)", drawn, re.MULTILINE))
    assert names == {name for name in errors.__all__ if isinstance(getattr(errors, name), type)}
    assert textwrap.indent(drawn, "    ") in (errors.__doc__ or "")
