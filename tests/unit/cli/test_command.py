"""The command line: what it prints and how it exits."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mattermost_plugin._version import __version__
from mattermost_plugin.cli import main

WritePlugin = Callable[..., Path]


def test_it_tells_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exited:
        main(["--version"])
    assert exited.value.code == 0
    assert capsys.readouterr().out == f"mattermost-plugin {__version__}\n"


def test_every_problem_is_one_line_on_standard_error(
    write_plugin: WritePlugin, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["build", str(write_plugin(manifest={"id": None, "name": None}))]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert [line.split(";")[0] for line in told.err.splitlines()] == [
        "error: plugin.json: id: missing",
        "error: plugin.json: name: missing",
    ]


def test_the_installed_command_builds_and_tells_what_it_made(
    write_plugin: WritePlugin, tmp_path: Path
) -> None:
    command = Path(sys.executable).with_name("mattermost-plugin")
    arguments = ["build", str(write_plugin()), "--output", str(tmp_path / "out")]
    done = subprocess.run([command, *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    first, archive, bridge, *site = done.stdout.splitlines()
    assert first.startswith("Installing what the plugin requires for ")
    assert archive.startswith(f"{tmp_path / 'out' / 'com.example.hello-1.2.3.tar.gz'}  ")
    assert bridge.startswith("  server/bridge/bridge-")
    assert f"mattermost-plugin {__version__}" in site[0]


def test_new_writes_a_plugin_that_builds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "say-hello"
    assert main(["new", str(folder)]) == 0
    manifest = json.loads((folder / "plugin.json").read_text(encoding="utf-8"))
    assert (manifest["id"], manifest["name"]) == ("com.example.say-hello", "Say Hello")
    assert f"mattermost-plugin build {folder}" in capsys.readouterr().out
    assert main(["build", str(folder)]) == 0
    assert (folder / "dist/com.example.say-hello-0.1.0.tar.gz").is_file()


def test_new_writes_a_plugin_that_runs_and_passes_strict_type_checking(tmp_path: Path) -> None:
    folder = tmp_path / "say-hello"
    main(["new", str(folder)])
    alone = subprocess.run(
        [sys.executable, str(folder / "plugin.py")], capture_output=True, text=True, check=False
    )
    assert "Traceback" not in alone.stderr
    assert "plugin" in alone.stderr + alone.stdout
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), "plugin.py"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout


def test_new_takes_a_name_that_is_no_name_of_a_class(tmp_path: Path) -> None:
    assert main(["new", str(tmp_path / "2048"), "--id", "com.example.game"]) == 0
    assert "class Plugin2048(Plugin):" in (tmp_path / "2048/plugin.py").read_text(encoding="utf-8")


def test_new_refuses_a_folder_with_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").touch()
    assert main(["new", str(tmp_path)]) == 1
    assert "is not empty" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_new_refuses_a_wrong_id(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", str(tmp_path / "x"), "--id", "No Id"]) == 1
    assert 'error: --id: must be 3 to 190 characters of a-z 0-9 . _ -, not "No Id"' in capsys.readouterr().err
    assert not (tmp_path / "x").exists()
