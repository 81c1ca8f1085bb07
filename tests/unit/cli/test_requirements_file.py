"""Requirements as people and their tools write them: encodings, includes, paths, hashes."""

import codecs
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mattermost_plugin.cli import BuildError, build_bundle
from mattermost_plugin.cli._requirements_file import RequirementsFile, read_requirements
from tests.unit.cli.conftest import Bundle

WritePlugin = Callable[..., Path]
WriteWheel = Callable[..., Path]
Unpack = Callable[[Path], Bundle]

# Compiling the bridges takes minutes on a machine that never did.
pytestmark = pytest.mark.timeout(1200)


def read(folder: Path, **files: str | bytes) -> RequirementsFile:
    for name, content in files.items():
        path = folder / f"{name.replace('__', '/')}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_requirements(folder / "requirements.txt")


@pytest.mark.parametrize(
    "content",
    [
        codecs.BOM_UTF16_LE + "hpack==4.0  # für\r\n".encode("utf-16-le"),
        codecs.BOM_UTF16_BE + "hpack==4.0  # für\r\n".encode("utf-16-be"),
        codecs.BOM_UTF8 + "hpack==4.0  # für\n".encode(),
        "# -*- coding: latin-1 -*-\nhpack==4.0  # für\n".encode("latin-1"),
        b"hpack==4.0 \\\n  # a comment\n",
    ],
)
def test_what_pip_reads_is_read(tmp_path: Path, content: bytes) -> None:
    assert read(tmp_path, requirements=content).lines == ["hpack==4.0"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("hpack  # für\n".encode("latin-1"), "requirements.txt: not UTF-8 text; save the file as UTF-8"),
        ("hpack\n".encode("utf-16-le"), "requirements.txt: UTF-16 without a byte order mark"),
        (codecs.BOM_UTF16_LE + b"h", "requirements.txt: not UTF-16-LE text"),
        (b"# coding: klingon\nhpack\n", "requirements.txt: not KLINGON text"),
        (b"hpack\n\n-e ./library\n", "requirements.txt:3: '-e ./library' would only point to files"),
        (b"-r base.txt\n", "requirements.txt:1: there is no file 'base.txt' beside requirements.txt"),
        (b"hpack\n-c=limits.txt\n", "requirements.txt:2: there is no file 'limits.txt'"),
        (b"-r 'base.txt\n", "requirements.txt:1: cannot be read: No closing quotation"),
        (b"--requirement requirements.txt\n", "requirements.txt:1: requirements.txt includes itself"),
    ],
)
def test_what_cannot_be_read_is_one_line_with_its_place(tmp_path: Path, content: bytes, problem: str) -> None:
    with pytest.raises(BuildError) as refused:
        read(tmp_path, requirements=content)
    assert str(refused.value).startswith(problem)
    assert "\n" not in str(refused.value)


def test_includes_are_followed_from_the_file_that_names_them(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        requirements="-r parts/one.txt\n--constraint=parts/limits.txt\nhpack\n",
        parts__one="-rtwo.txt\niniconfig\n",
        parts__two="packaging \\\n  --hash=sha256:00\n",
        parts__limits="iniconfig<3\n",
    )
    assert found.lines == ["packaging    --hash=sha256:00", "iniconfig", "hpack"]
    assert (found.constraints, found.hashed, found.altered) == (["iniconfig<3"], True, False)


def test_a_loop_over_several_files_is_refused_and_a_file_may_be_included_twice(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"two\.txt:1: one\.txt includes itself; remove the line"):
        read(tmp_path, requirements="-r one.txt", one="-r two.txt", two="-r one.txt")
    found = read(
        tmp_path, requirements="-r one.txt\n-r two.txt", one="-r three.txt", two="-r three.txt", three="x"
    )
    assert found.lines == ["x", "x"]


def test_a_path_in_an_included_file_starts_at_that_file_where_it_does_not_at_the_plugin(
    tmp_path: Path,
) -> None:
    (tmp_path / "parts/near").mkdir(parents=True)
    (tmp_path / "far").mkdir()
    found = read(
        tmp_path, requirements="-r parts/one.txt\n./near", parts__one="./near[extra] ; os_name\n./far\n"
    )
    assert found.lines == ["./parts/near[extra] ; os_name", "./far", "./near"]
    assert found.altered


@pytest.mark.parametrize("line", ["./{wheel}", "{wheel}", "lunch @ file:./{wheel}", "-r parts/more.txt"])
@pytest.mark.parametrize("name", ["plugin", "my plugin [1] #2 100% ü"])
def test_a_wheel_beside_the_plugin_is_found_from_everywhere(
    write_plugin: WritePlugin,
    write_wheel: WriteWheel,
    unpack: Unpack,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    line: str,
    name: str,
) -> None:
    wheel = "wheels/lunch-1.0-py3-none-any.whl"
    files = {"requirements.txt": line.format(wheel=wheel), "parts/more.txt": f"../{wheel}\n"}
    # A module of the standard library's name beside the plugin is nothing to pip.
    folder = write_plugin(name, files={**files, "logging.py": "raise RuntimeError"})
    write_wheel(folder / "wheels", "lunch")
    monkeypatch.chdir(tmp_path)
    bundle = unpack(build_bundle(os.path.relpath(folder)))
    assert "lunch.py" in bundle.files("server/site/any")


def test_what_a_shell_tells_pip_for_other_installations_does_not_count(
    write_plugin: WritePlugin,
    write_wheel: WriteWheel,
    unpack: Unpack,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    folder = write_plugin(files={"requirements.txt": "lunch\n"})
    write_wheel(tmp_path / "wheels", "lunch", requires="pantry")
    write_wheel(tmp_path / "wheels", "pantry")
    (tmp_path / "limits.txt").write_text("lunch<2\n")
    for key in ("PIP_USER", "PIP_NO_DEPS", "PIP_DRY_RUN", "PIP_REQUIRE_VIRTUALENV"):
        monkeypatch.setenv(key, "1")
    monkeypatch.setenv("PIP_TARGET", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("PIP_FIND_LINKS", "wheels")
    monkeypatch.setenv("PIP_CONSTRAINT", "limits.txt")
    monkeypatch.chdir(tmp_path)
    bundle = unpack(build_bundle(folder))
    assert {"lunch.py", "pantry.py"} <= bundle.files("server/site/any")
    assert not (tmp_path / "elsewhere").exists()


def test_an_index_that_cannot_be_reached_is_one_line_that_says_so(
    write_plugin: WritePlugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, value in {
        "INDEX_URL": "http://127.0.0.1:9/simple",
        "RETRIES": "1",
        "EXTRA_INDEX_URL": "",
    }.items():
        monkeypatch.setenv(f"PIP_{key}", value)
    told: list[str] = []
    with pytest.raises(BuildError) as refused:
        build_bundle(write_plugin(files={"requirements.txt": "no-such-thing\n"}), report=told.append)
    assert str(refused.value).startswith("requirements.txt: pip could not install what it names for")
    assert str(refused.value).endswith(
        "see whether the package index can be reached (PIP_INDEX_URL, proxy, network)"
    )
    assert "\n" not in str(refused.value)
    assert any(line.startswith("pip: ERROR: ") for line in told)


def test_hashes_are_checked_in_included_files_too(
    write_plugin: WritePlugin, write_wheel: WriteWheel, unpack: Unpack
) -> None:
    files = {
        "requirements.txt": "-r parts/locked.txt\n-c limits.txt\n",
        "limits.txt": "mattermost-plugin==0\n",
    }
    folder = write_plugin(files=files)
    (folder / "parts").mkdir()
    wheel = write_wheel(folder / "wheels", "lunch")
    digest = Bundle(folder, []).digest(str(wheel.relative_to(folder)))
    line = "../wheels/lunch-1.0-py3-none-any.whl --hash=sha256:{}\nhpack==4.2.0 --hash=sha256:{}\n"
    (folder / "parts/locked.txt").write_text(line.format(digest, "0" * 64))
    with pytest.raises(BuildError, match="DO NOT MATCH THE HASHES"):
        build_bundle(folder)
