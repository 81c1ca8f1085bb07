"""Commands that fail: one line that says what to do, a status, and nothing left behind."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from mattermost_plugin.cli import BuildError, build_bundle, main

WritePlugin = Callable[..., Path]

PROGRAM = "import sys; from mattermost_plugin.cli import main; sys.exit(main())"
BLOCKING_BACKEND = """
import pathlib, time

def get_requires_for_build_wheel(config_settings=None):
    pathlib.Path("started").touch()
    time.sleep(600)

prepare_metadata_for_build_wheel = build_wheel = get_requires_for_build_wheel
"""
# Compiling the bridges takes minutes on a machine that never did.
pytestmark = pytest.mark.timeout(1200)


def errors_of(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> list[str]:
    assert main([str(argument) for argument in arguments]) == 1
    return capsys.readouterr().err.splitlines()


def keep_to_modes() -> None:
    """Take from root, in a child process, the right to read whatever the modes of files say."""
    if os.geteuid() == 0:
        drop_from_bounding_set = 24
        for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
            ctypes.CDLL(None).prctl(drop_from_bounding_set, capability, 0, 0, 0)


@pytest.mark.skipif(sys.platform != "linux", reason="capabilities are Linux's")
@pytest.mark.parametrize("name", ["notes.txt", "plugin.json", "requirements.txt", "pyproject.toml", "words"])
def test_what_cannot_be_read_is_named(write_plugin: WritePlugin, name: str) -> None:
    files = dict.fromkeys(("notes.txt", "requirements.txt", "pyproject.toml", "words/a.txt"), "")
    folder = write_plugin(files=files)
    (folder / name).chmod(0)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "build", str(folder)],
        preexec_fn=keep_to_modes, capture_output=True, text=True, check=False,
    )  # fmt: skip
    (folder / name).chmod(0o700)
    fix = "give yourself access to it, or leave it out of the plugin's folder"
    assert (done.returncode, done.stderr) == (1, f"error: {name}: Permission denied; {fix}\n")


def test_a_folder_in_place_of_a_file_is_named(
    write_plugin: WritePlugin, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_plugin()
    (folder / "pyproject.toml").mkdir()
    assert errors_of(capsys, "build", folder) == [
        "error: pyproject.toml: Is a directory; move the folder away that is where a file has to be"
    ]


@pytest.mark.parametrize("name", ["plugin.json", "pyproject.toml"])
def test_a_pipe_in_place_of_a_file_is_not_waited_for(
    write_plugin: WritePlugin, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    folder = write_plugin()
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)
    assert errors_of(capsys, "build", folder) == [
        f"error: {name}: is not a regular file; put the file itself there"
    ]


@pytest.mark.parametrize("kind", ["folder", "dangling link", "loop"])
def test_requirements_that_are_no_file_are_not_passed_over(
    write_plugin: WritePlugin, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    folder = write_plugin()
    path = folder / "requirements.txt"
    if kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("nowhere" if kind == "dangling link" else path.name)
    [error] = errors_of(capsys, "build", folder)
    assert error.startswith("error: requirements.txt: ")


def test_a_file_in_place_of_the_output_folder_is_named(
    write_plugin: WritePlugin, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "taken").touch()
    [error] = errors_of(capsys, "build", write_plugin(), "--output", tmp_path / "taken" / "dist")
    assert error.startswith(f"error: {tmp_path}/taken")
    assert error.endswith("move the file away that is where a folder has to be")


@pytest.mark.parametrize("moment", ["soon", "-1", "", "99999999999", "1e9"])
def test_a_source_date_epoch_that_is_no_time_is_refused(
    write_plugin: WritePlugin,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    moment: str,
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", moment)
    [error] = errors_of(capsys, "build", write_plugin())
    assert f"SOURCE_DATE_EPOCH: {moment!r} is not a number of seconds" in error


@pytest.mark.parametrize("target", ["file", "file/new", "loop"])
def test_new_names_what_is_in_its_way(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], target: str
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    before = sorted(tmp_path.iterdir())
    [error] = errors_of(capsys, "new", tmp_path / target)
    assert error.startswith("error: ")
    assert "; " in error
    assert sorted(tmp_path.iterdir()) == before


def test_the_library_raises_build_errors_for_files_too(write_plugin: WritePlugin) -> None:
    folder = write_plugin()
    (folder / "pyproject.toml").mkdir()
    with pytest.raises(BuildError, match=r"pyproject\.toml: Is a directory"):
        build_bundle(folder)


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 300
    while not path.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, f"no {path}"
        time.sleep(0.02)


def pid_of_backend(folder: Path) -> list[int]:
    """Find processes whose current folder is `folder`."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (entry / "cwd").readlink() == folder:
                found.append(int(entry.name))
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_build_in_one_line_and_leaves_the_former_bundle(
    write_plugin: WritePlugin, tmp_path: Path, number: signal.Signals
) -> None:
    backend = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    files = {
        "requirements.txt": "./slow\n",
        "slow/pyproject.toml": backend,
        "slow/backend.py": BLOCKING_BACKEND,
        "dist/com.example.hello-1.2.3.tar.gz": "the former one",
    }
    folder = write_plugin(files=files)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "build", str(folder)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "TMPDIR": str(temporary)},
    ) as process:  # fmt: skip
        wait_for(folder / "slow/started", process)
        process.send_signal(number)
        _, errors = process.communicate()
    assert (process.returncode, errors) == (128 + number, f"error: interrupted ({number.name})\n")
    assert [path.name for path in (folder / "dist").iterdir()] == ["com.example.hello-1.2.3.tar.gz"]
    assert (folder / "dist/com.example.hello-1.2.3.tar.gz").read_text() == "the former one"
    assert list(temporary.iterdir()) == []
    if Path("/proc/self/cwd").exists():
        assert pid_of_backend(folder / "slow") == []


def test_a_build_whose_output_nobody_reads_ends_quietly(write_plugin: WritePlugin) -> None:
    folder = write_plugin()
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as closed:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, "build", str(folder)],
            stdout=closed, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, "")
    assert not (folder / "dist").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_behind_the_output_is_one_line(write_plugin: WritePlugin) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, "build", str(write_plugin())],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "error: standard output: No space left on device\n")


def test_names_that_the_terminal_cannot_show_are_escaped(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "new", str(tmp_path / "grüße")],
        env={**os.environ, "PYTHONIOENCODING": "ascii"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert r"gr\xfc\xdfe" in done.stdout
