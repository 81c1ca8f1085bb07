"""What the command says of files and folders that are not as they should be, and of its own end."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mattermost_plugin.cli import BuildError, main
from mattermost_plugin.cli._author_files import author_files
from mattermost_plugin.cli._problems import file_system_problem
from mattermost_plugin.cli._project import read_project
from mattermost_plugin.cli._requirements_text import read_requirements

WritePlugin = Callable[..., Path]
COMMAND = [sys.executable, "-c", "import sys; from mattermost_plugin.cli import main; sys.exit(main())"]


def places(folder: Path) -> set[str]:
    return {str(place) for place in author_files(read_project(folder), folder / "dist")}


def test_a_linked_folder_of_the_plugin_is_packed(write_plugin: WritePlugin) -> None:
    folder = write_plugin(files={"lib/words/__init__.py": "", "lib/words/more/list.txt": ""})
    (folder / "words").symlink_to("lib/words", target_is_directory=True)
    assert {"server/words/__init__.py", "server/words/more/list.txt"} < places(folder)


@pytest.mark.parametrize(
    ("name", "target", "says"),
    [
        ("self", "self", "leads nowhere"),
        ("gone", "not-there", "leads nowhere"),
        ("up", ".", "a folder that it lies in"),
        ("words/up", "..", "a folder that it lies in"),
        ("out", "..", "leads out of"),
        ("etc", "/etc", "leads out of"),
    ],
)
def test_a_link_that_cannot_be_packed_is_named(
    write_plugin: WritePlugin, name: str, target: str, says: str
) -> None:
    folder = write_plugin(files={"words/list.txt": ""})
    (folder / name).symlink_to(target)
    with pytest.raises(BuildError, match=f"^{name}: .*{says}"):
        places(folder)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"id": "a", "version": "1.0.0", "version": "2.0.0"}', "plugin.json: version: .*twice.*remove one"),
        ('{"server": {"entrypoint": "a.py", "entrypoint": "b.py"}}', "entrypoint: .*twice"),
        ('{"id": NaN}', "NaN is not JSON"),
        ('{"id": -Infinity}', "-Infinity is not JSON"),
        ("[" * 100_000, "plugin.json: "),
    ],
)
def test_a_manifest_that_readers_take_for_different_things_is_refused(
    write_plugin: WritePlugin, text: str, says: str
) -> None:
    folder = write_plugin()
    (folder / "plugin.json").write_text(text, encoding="utf-8")
    with pytest.raises(BuildError, match=says):
        read_project(folder)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_requirements_are_read_by_their_byte_order_mark(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "requirements.txt"
    path.write_bytes("müsli==1.0\r\n".encode(encoding))
    assert read_requirements(path) == "müsli==1.0\r\n"


def test_requirements_are_read_by_their_coding_comment(tmp_path: Path) -> None:
    path = tmp_path / "requirements.txt"
    path.write_bytes("# -*- coding: latin-1 -*-\n# für\n".encode("latin-1"))
    assert "für" in read_requirements(path)


@pytest.mark.parametrize("data", ["# für".encode("latin-1"), b"# coding: of-nobody\n", b"\xff\xfea"])
def test_requirements_in_another_encoding_are_named(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "requirements.txt"
    path.write_bytes(data)
    with pytest.raises(BuildError, match=r"^requirements.txt: cannot be read as .*save it as UTF-8"):
        read_requirements(path)


def test_what_the_system_says_is_one_line_with_a_remedy(
    write_plugin: WritePlugin, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_plugin()
    (folder / "plugin.json").unlink()
    (folder / "plugin.json").mkdir()
    assert main(["build", str(folder)]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line == f"error: {folder / 'plugin.json'}: is a directory; there should be a file"


def test_errors_without_a_file_or_a_number_are_told_too() -> None:
    assert str(file_system_problem(OSError("odd"))) == "odd"
    assert "free some space" in str(file_system_problem(OSError(28, "No space left on device", "a")))


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_build_ends_without_a_word_and_leaves_nothing(
    write_plugin: WritePlugin, tmp_path: Path, number: int, status: int
) -> None:
    folder = write_plugin()
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    # There is no such index, and pip asks again and again.
    (folder / "requirements.txt").write_text("nothing-of-that-name\n", encoding="utf-8")
    environment = {
        **os.environ,
        "TMPDIR": str(scratch),
        "PIP_INDEX_URL": "http://127.0.0.1:9/",
        "PIP_RETRIES": "50",
    }
    with subprocess.Popen(
        [*COMMAND, "build", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
    ) as process:
        while process.poll() is None and not list(scratch.glob("mattermost-plugin-build-*/*")):
            pass
        os.killpg(process.pid, number)
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (status, "")
    assert not (folder / "dist").exists()
    assert not list(scratch.glob("mattermost-plugin-build-*"))


def test_a_closed_pipe_ends_the_command_without_a_word(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [*COMMAND, "new", "plugin"],
        cwd=tmp_path,
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


_NAMES = st.sampled_from(
    ["plugin.py", "plugin.json", "pyproject.toml", "requirements.txt", "a", "b/c", "b", "assets"]
)
_CONTENTS = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [
            b"{}",
            b'{"server": {"entrypoint": "plugin.py"}}',
            b"[project]\ndependencies = 1\n",
            b"\xef\xbb\xbf{}",
        ]
    ),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(_NAMES, st.one_of(_CONTENTS, _NAMES)), max_size=6))
def test_whatever_lies_in_a_folder_is_an_error_in_words(found: list[tuple[str, bytes | str]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "plugin")
        folder.mkdir()
        for path, content in found:
            place = folder / path
            if place.exists() or place.is_symlink() or not place.parent.is_dir():
                continue
            if isinstance(content, bytes):
                place.write_bytes(content)
            else:
                place.symlink_to(content)
        try:
            author_files(read_project(folder), folder / "dist")
        except (BuildError, OSError) as error:
            problems = error.problems if isinstance(error, BuildError) else [file_system_problem(error)]
            assert all(str(problem) for problem in problems)
