"""The files of an author that go into a bundle, and their places there."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mattermost_plugin.cli import BuildError
from mattermost_plugin.cli._author_files import author_files
from mattermost_plugin.cli._project import read_project

WritePlugin = Callable[..., Path]


def places(folder: Path, output: Path | None = None) -> set[str]:
    return {str(place) for place in author_files(read_project(folder), output or folder / "dist")}


def empty(*paths: str) -> dict[str, str]:
    return dict.fromkeys(paths, "")


def test_a_flat_folder_goes_below_server(write_plugin: WritePlugin) -> None:
    folder = write_plugin(files=empty("greeting.py", "words/__init__.py", "words/list.txt", "LICENSE"))
    assert places(folder) == {
        "server/plugin.py",
        "server/greeting.py",
        "server/words/__init__.py",
        "server/words/list.txt",
        "server/LICENSE",
    }


def test_a_server_folder_keeps_its_place_and_nothing_beside_it_comes_along(write_plugin: WritePlugin) -> None:
    folder = write_plugin(
        manifest={"server": {"entrypoint": "server/main.py"}},
        files=empty("server/main.py", "server/greeting.py", "notes.txt", "assets/logo.txt", "public/a.css"),
    )
    assert places(folder) == {"server/main.py", "server/greeting.py", "assets/logo.txt", "public/a.css"}


def test_what_only_the_author_needs_is_left_out(write_plugin: WritePlugin) -> None:
    left_out = empty(
        ".git/config", ".env", ".venv/lib/x.py", "venv/lib/x.py", "tests/test_a.py", "test_b.py",
        "conftest.py", "dist/old.tar.gz", "build/x", "words/__pycache__/x.pyc", "x.pyc", "uv.lock",
        "hello.egg-info/PKG-INFO", "node_modules/x.js", "pyproject.toml", "requirements.txt",
        "requirements-dev.txt", "Makefile",
    )  # fmt: skip
    assert places(write_plugin(files=left_out)) == {"server/plugin.py"}


def test_the_output_folder_is_left_out_whatever_its_name(write_plugin: WritePlugin) -> None:
    folder = write_plugin(files=empty("made/old.tar.gz"))
    assert places(folder, folder / "made") == {"server/plugin.py"}


def test_include_and_exclude_have_the_last_word(write_plugin: WritePlugin) -> None:
    pyproject = (
        '[tool.mattermost-plugin]\ninclude = ["dist/data/*.txt", ".hidden"]\nexclude = ["notes/", "*.md"]\n'
    )
    files = empty("dist/data/a.txt", "dist/data/a.bin", ".hidden", "notes/x.py", "docs/x.md", "docs/x.txt")
    folder = write_plugin(files={**files, "pyproject.toml": pyproject})
    assert places(folder, folder / "out") == {
        "server/plugin.py",
        "server/dist/data/a.txt",
        "server/dist/data/a.bin",
        "server/.hidden",
        "server/docs/x.txt",
    }


def test_the_built_webapp_comes_along_and_its_sources_do_not(write_plugin: WritePlugin) -> None:
    folder = write_plugin(
        manifest={"webapp": {"bundle_path": "webapp/dist/main.js"}},
        files=empty(
            "webapp/dist/main.js", "webapp/dist/main.js.map", "webapp/src/index.tsx", "webapp/package.json"
        ),
    )
    assert places(folder) == {"server/plugin.py", "webapp/dist/main.js", "webapp/dist/main.js.map"}


@pytest.mark.parametrize("name", ["site/x.py", "bridge/x", "checksums.sha256"])
def test_places_of_the_build_itself_are_refused(write_plugin: WritePlugin, name: str) -> None:
    with pytest.raises(BuildError, match="in the bundle is the build's own; rename it"):
        places(write_plugin(files=empty(name)))


def test_an_entrypoint_that_is_left_out_is_refused(write_plugin: WritePlugin) -> None:
    folder = write_plugin(
        manifest={"server": {"entrypoint": "test_plugin.py"}}, files=empty("test_plugin.py")
    )
    with pytest.raises(
        BuildError, match=r"test_plugin.py: files of this name are left out; name it in `include`"
    ):
        places(folder)


def test_a_link_out_of_the_folder_is_refused(write_plugin: WritePlugin, tmp_path: Path) -> None:
    folder = write_plugin()
    (tmp_path / "secret").touch()
    (folder / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(BuildError, match="link: is a link that leads out of the plugin's folder"):
        places(folder)


def test_a_link_inside_the_folder_is_followed(write_plugin: WritePlugin) -> None:
    folder = write_plugin()
    (folder / "link.py").symlink_to(folder / "plugin.py")
    assert places(folder) == {"server/plugin.py", "server/link.py"}


def test_what_is_not_a_file_is_refused(write_plugin: WritePlugin) -> None:
    folder = write_plugin()
    os.mkfifo(folder / "pipe")
    with pytest.raises(BuildError, match="pipe: is not a regular file"):
        places(folder)


def test_a_linked_folder_is_packed_as_what_it_leads_to(write_plugin: WritePlugin) -> None:
    folder = write_plugin(files=empty("lib/words/__init__.py", "lib/words/deep/a.txt", "tests/test_a.py"))
    (folder / "words").symlink_to("lib/words", target_is_directory=True)
    (folder / "venv").symlink_to("lib", target_is_directory=True)  # left out by its own name
    assert places(folder) == {
        "server/plugin.py",
        "server/lib/words/__init__.py",
        "server/lib/words/deep/a.txt",
        "server/words/__init__.py",
        "server/words/deep/a.txt",
    }


@pytest.mark.parametrize(
    ("link", "target", "problem"),
    [
        ("again", ".", "again: is a link to a folder that it lies in (the plugin)"),
        ("lib/words/up", "..", "lib/words/up: is a link to a folder that it lies in (lib)"),
        ("self", "self", "self: is a link to 'self', which leads nowhere"),
        ("gone", "nowhere", "gone: is a link to 'nowhere', which leads nowhere"),
        ("out", "..", "out: is a link that leads out of the plugin's folder"),
        ("assets", "..", "assets: is a link that leads out of the plugin's folder"),
    ],
)
def test_links_that_cannot_be_packed_are_named(
    write_plugin: WritePlugin, link: str, target: str, problem: str
) -> None:
    folder = write_plugin(files=empty("lib/words/__init__.py"))
    (folder / link).symlink_to(target, target_is_directory=True)
    with pytest.raises(BuildError) as refused:
        places(folder)
    assert str(refused.value).startswith(f"{problem}; ")


def test_two_links_that_lead_to_each_other_s_folder_are_refused(write_plugin: WritePlugin) -> None:
    folder = write_plugin(files=empty("one/a.txt", "two/b.txt"))
    (folder / "one/two").symlink_to("../two", target_is_directory=True)
    (folder / "two/one").symlink_to("../one", target_is_directory=True)
    with pytest.raises(BuildError, match=r"one/two/one: is a link to a folder that it lies in \(one\)"):
        places(folder)


def test_a_link_that_is_excluded_is_not_looked_at(write_plugin: WritePlugin) -> None:
    pyproject = '[tool.mattermost-plugin]\nexclude = ["again"]\n'
    folder = write_plugin(files={"pyproject.toml": pyproject})
    (folder / "again").symlink_to(".", target_is_directory=True)
    assert places(folder) == {"server/plugin.py"}


@pytest.mark.parametrize("name", [b"new\nline.txt", b"back\\slash.txt", b"\xff.txt"])
def test_a_name_that_a_bundle_cannot_hold_is_refused(write_plugin: WritePlugin, name: bytes) -> None:
    folder = write_plugin()
    try:
        (folder / os.fsdecode(name)).touch()
    except OSError:
        pytest.skip("the file system has no such names")
    with pytest.raises(BuildError, match="bytes that are not UTF-8; rename it"):
        places(folder)


def test_bundles_beside_the_code_do_not_go_into_the_next_one(write_plugin: WritePlugin) -> None:
    folder = write_plugin(files=empty("com.example.hello-1.2.2.tar.gz", "data.tar.gz"))
    assert places(folder, folder) == {"server/plugin.py", "server/data.tar.gz"}
