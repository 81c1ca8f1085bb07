"""Whatever lies in a plugin's folder: a bundle, or lines that say what to do. Never a traceback."""

import contextlib
import io
import json
import os
import re
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mattermost_plugin.cli import BuildError, main
from mattermost_plugin.cli._author_files import author_files
from mattermost_plugin.cli._file_errors import file_errors
from mattermost_plugin.cli._pack import pack_bundle
from mattermost_plugin.cli._project import read_project

MANIFEST: dict[str, Any] = {
    "id": "com.example.any",
    "name": "Any",
    "version": "1.0.0",
    "server": {"entrypoint": "plugin.py"},
}
KEYS = st.sampled_from([
    "id", "name", "version", "server", "webapp", "props", "settings_schema", "settings", "sections", "key",
    "type", "options", "default", "entrypoint", "runtime", "runtime_args", "bundle_path", "icon_path",
    "mattermost_plugin", "hook_timeouts", "on_failure", "queue_size", "description", "homepage_url", "secret",
])  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(
        ["plugin.py", "notes", ".", "..", "/", "dropdown", "text", "bool", "python3", "1.0.0", "link", "a\0b"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=5), inner),
    max_leaves=12,
)  # fmt: skip
ALTERED = st.dictionaries(KEYS, VALUES, max_size=4).map(
    lambda change: json.dumps({**MANIFEST, **change}).encode()
)
MANIFESTS = (
    st.just(json.dumps(MANIFEST).encode())
    | ALTERED
    | st.binary(max_size=40)
    | VALUES.map(lambda value: json.dumps(value).encode("utf-16"))
)
TOML = st.lists(
    st.sampled_from([
        "[project]", "[tool.mattermost-plugin]", "[tool]", "tool = 1", "project = []", "version = '2'",
        "name = 3", "dependencies = ['x; y']", "dependencies = ['hpack']", "requires-python = '>=3.10'",
        "requires-python = 'new'", "include = ['*']", "exclude = ['[']", "include = 1",
        "on_failure = 'allow'", "hook_timeout = inf", "hook_timeout = 1979-05-27", "a.b.c = nan",
        "dynamic = ['dependencies']",
    ]),
    max_size=6,
).map(lambda lines: "\n".join(lines).encode())  # fmt: skip
REQUIREMENTS = st.lists(
    st.sampled_from([
        "hpack", "-r requirements.txt", "-r notes", "-c link", "-e .", "--hash=sha256:0", "-r '", "\\",
        "-f ..", "# coding: x", "# coding: utf-16", "${HOME}", "-r ${PWD}", "./notes[x]", "-r\tlink",
        "-r http://localhost/",
    ]),
    max_size=5,
).map(lambda lines: "\n".join(lines).encode())  # fmt: skip
CONTENTS = st.binary(max_size=20) | st.text(max_size=20).map(lambda text: text.encode(errors="replace"))
NAMES = st.sampled_from([
    b"notes", b"link", b"lib", b"server", b"assets", b"public", b"site", b"tests", b"dist", b"a b", b"a.py",
    b"\xff", b"new\nline", b"back\\slash", b"[x]", "ü".encode(), b".hidden", b"plugin.py",
])  # fmt: skip
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(b"/".join)
TARGETS = st.sampled_from([b".", b"..", b"link", b"notes", b"lib", b"/", b"nowhere", b"../lib", b"plugin.py"])
ENTRIES = st.lists(
    st.tuples(
        PATHS,
        st.one_of(
            st.tuples(st.just("file"), CONTENTS),
            st.tuples(st.just("link"), TARGETS),
            st.sampled_from([("folder", b""), ("pipe", b"")]),
        ),
    ),
    max_size=6,
)


def write(root: Path, entries: list[tuple[bytes, tuple[str, bytes]]]) -> None:
    """Write what can be written of `entries`: some stand in each other's way."""
    for name, (kind, content) in entries:
        path = root / os.fsdecode(name)
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            if os.path.lexists(path) or not path.parent.resolve().is_relative_to(root.resolve()):
                continue  # writing to a pipe would wait for who reads it
            if kind == "file":
                path.write_bytes(content)
            elif kind == "link":
                path.symlink_to(os.fsdecode(content))
            elif kind == "folder":
                path.mkdir()
            else:
                os.mkfifo(path)


def pack(folder: Path, scratch: Path) -> Path:
    """Do what a build does with the author's files, without what pip would install."""
    with file_errors(folder):
        project = read_project(folder)
        archive = folder / "dist" / f"{project.id}-{project.version}.tar.gz"
        (scratch / "server").mkdir(parents=True)
        pack_bundle(project, author_files(project, archive.parent), scratch, {}, "", archive)
    return archive


def told_by_packing(folder: Path, scratch: Path) -> list[str]:
    try:
        return [] if pack(folder, scratch).is_file() else [""]
    except BuildError as error:
        return [str(problem) for problem in error.problems] or [""]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    manifest=MANIFESTS,
    pyproject=st.none() | TOML | st.binary(max_size=20),
    requirements=st.none() | REQUIREMENTS | st.binary(max_size=20),
    entries=ENTRIES,
)
@example(manifest=b'{"id": ' + b"[" * 100_000, pyproject=b"a = " + b"[" * 5000, requirements=None, entries=[])
@example(
    manifest=json.dumps(MANIFEST).encode(),
    pyproject=None,
    requirements=b"-r " + b"x" * 5000,
    entries=[(b"lib/" * 100 + b"a.py", ("file", b"")), (b"up", ("link", b"up")), (b"x" * 250, ("file", b""))],
)
def test_a_build_ends_with_a_bundle_or_with_lines_that_say_why(
    manifest: bytes,
    pyproject: bytes | None,
    requirements: bytes | None,
    entries: list[tuple[bytes, tuple[str, bytes]]],
) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        folder = root / "plugin"
        folder.mkdir()
        (folder / "plugin.py").write_bytes(b"")
        (folder / "plugin.json").write_bytes(manifest)
        for file, content in (("pyproject.toml", pyproject), ("requirements.txt", requirements)):
            if content is not None:
                (folder / file).write_bytes(content)
        write(folder, entries)
        said, errors = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(errors):
            # This release is refused after all of the folder has been read, so that pip is not run.
            status = main(["build", str(folder), "--python", "2.7"])
        assert status == 1
        assert said.getvalue() == ""
        told = errors.getvalue().removesuffix("\n").split("\n")
        assert all(re.fullmatch("error: .*[^ ]", line) for line in told), told
        assert all(len(problem.splitlines()) == 1 for problem in told_by_packing(folder, root / "stage"))
        assert not list(folder.glob("dist/.mattermost-plugin-*"))
