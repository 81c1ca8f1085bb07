"""Archives do not depend on when, where and by whom they are written."""

import gzip
import os
import tarfile
from pathlib import Path

import pytest

from mattermost_plugin.cli._archive import write_archive


def write_tree(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name, encoding="utf-8")
    return folder


def test_the_same_files_make_the_same_bytes(tmp_path: Path) -> None:
    one = write_tree(tmp_path / "one", "a/b", "a.txt", "z")
    two = write_tree(tmp_path / "two", "z", "a.txt", "a/b")
    os.utime(two / "z", (5_000_000, 5_000_000))
    (two / "z").chmod(0o600)
    write_archive(one, "plugin", tmp_path / "one.tar.gz")
    write_archive(two, "plugin", tmp_path / "two.tar.gz")
    assert (tmp_path / "one.tar.gz").read_bytes() == (tmp_path / "two.tar.gz").read_bytes()


def test_an_executable_stays_one(tmp_path: Path) -> None:
    tree = write_tree(tmp_path / "tree", "run", "read")
    (tree / "run").chmod(0o700)
    write_archive(tree, "plugin", tmp_path / "x.tar.gz")
    with tarfile.open(tmp_path / "x.tar.gz") as tar:
        modes = {member.name: member.mode for member in tar}
    assert modes == {"plugin": 0o755, "plugin/read": 0o644, "plugin/run": 0o755}


def test_source_date_epoch_is_the_time_of_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    write_archive(write_tree(tmp_path / "tree", "a"), "plugin", tmp_path / "x.tar.gz")
    with tarfile.open(tmp_path / "x.tar.gz") as tar:
        assert {(member.mtime, member.uid, member.gid, member.uname) for member in tar} == {
            (1700000000, 0, 0, "")
        }
    with gzip.open(tmp_path / "x.tar.gz") as packed:
        packed.read(1)
        assert isinstance(packed, gzip.GzipFile)
        assert packed.mtime == 1700000000


def test_long_and_foreign_names_survive(tmp_path: Path) -> None:
    names = ["n" * 120 + "/" + "m" * 120, "grüße.txt"]
    write_archive(write_tree(tmp_path / "tree", *names), "plugin", tmp_path / "x.tar.gz")
    with tarfile.open(tmp_path / "x.tar.gz") as tar:
        assert {f"plugin/{name}" for name in names} <= set(tar.getnames())


def test_a_failure_leaves_what_was_there_before(tmp_path: Path) -> None:
    tree = write_tree(tmp_path / "tree", "a")
    (tree / "b").symlink_to("nowhere")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/x.tar.gz").write_text("before", encoding="utf-8")
    with pytest.raises(FileNotFoundError):
        write_archive(tree, "plugin", tmp_path / "out/x.tar.gz")
    assert [path.read_text() for path in (tmp_path / "out").iterdir()] == ["before"]
