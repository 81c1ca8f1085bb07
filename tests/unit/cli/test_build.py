"""Bundles: what they contain, and that it is the same every time.

These build with the real bridge, pip and package registry.
"""

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mattermost_plugin._version import __version__
from mattermost_plugin.cli import BuildError, build_bundle
from mattermost_plugin.cli._bridge import bridge_for
from mattermost_plugin.cli._bridge_source import PLATFORMS
from mattermost_plugin.cli._platforms import Platform
from tests.unit.cli.conftest import Bundle

WritePlugin = Callable[..., Path]
Unpack = Callable[[Path], Bundle]
WriteWheel = Callable[..., Path]

ROOT = Path(__file__).parents[3]
HERE = Platform.this()
RUNNING = f"3.{sys.version_info.minor}"
ELF_MACHINES = {0x3E: "linux-amd64", 0xB7: "linux-arm64"}
MACHO_MACHINES = {0x01000007: "darwin-amd64", 0x0100000C: "darwin-arm64"}


def platforms_of(code: Path) -> set[str]:
    """Read from the header of an executable or a library which platforms it runs on."""
    content = code.read_bytes()
    if content.startswith(b"\x7fELF"):
        return {ELF_MACHINES[int.from_bytes(content[18:20], "little")]}
    if content.startswith(b"\xcf\xfa\xed\xfe"):
        return {MACHO_MACHINES[int.from_bytes(content[4:8], "little")]}
    assert content.startswith(b"\xca\xfe\xba\xbe"), f"{code} is of no known kind"
    starts = range(8, 8 + 20 * int.from_bytes(content[4:8], "big"), 20)
    return {MACHO_MACHINES[int.from_bytes(content[start : start + 4], "big")] for start in starts}


# Compiling the bridges takes minutes on a machine that never did.
pytestmark = pytest.mark.timeout(1200)


IMPORT_ALL = """
import importlib, json, pkgutil, re, sys

sys.path[:0] = sys.argv[1:]
import mattermost_plugin
from importlib import metadata

missing, modules = [], 0
for module in pkgutil.walk_packages(mattermost_plugin.__path__, "mattermost_plugin."):
    modules += 1
    try:
        importlib.import_module(module.name)
    except ModuleNotFoundError as error:
        missing.append((module.name, error.name.partition(".")[0]))
requires = metadata.requires("mattermost-plugin")
extras = [re.match("[a-z0-9]+", text)[0] for text in requires if "extra ==" in text]
names = [name for name in mattermost_plugin.__all__ if getattr(mattermost_plugin, name, None) is None]
assert not names, names
answer = {"missing": missing, "modules": modules, "extras": extras, "path": mattermost_plugin.__path__[0]}
print(json.dumps({**answer, "version": metadata.version("mattermost-plugin")}))
"""


def project(*dependencies: str, python: str = ">=3.10") -> dict[str, str]:
    table = f"[project]\nname = 'hello'\nrequires-python = '{python}'\n"
    return {"pyproject.toml": f"{table}dependencies = {json.dumps(dependencies)}\n"}


def test_a_bundle_has_everything_that_a_server_needs(write_plugin: WritePlugin, unpack: Unpack) -> None:
    folder = write_plugin(files={**project("mattermost-plugin"), "greeting.py": "HELLO = 1\n"})
    archive = build_bundle(folder)
    assert archive == folder / "dist" / "com.example.hello-1.2.3.tar.gz"
    bundle = unpack(archive)
    assert bundle.folder.name == "com.example.hello"
    assert bundle.manifest == {
        "id": "com.example.hello",
        "name": "Hello",
        "version": "1.2.3",
        "server": {
            "entrypoint": "server/plugin.py",
            "executables": {str(HERE): f"server/bridge/bridge-{HERE}"},
            "runtime": "python3",
            "requires_python": ">=3.10",
        },
    }
    bridge = bundle.folder / f"server/bridge/bridge-{HERE}"
    assert bridge.read_bytes() == bridge_for(HERE).read_bytes()
    assert bridge.stat().st_mode & 0o777 == 0o755
    assert {"plugin.py", "greeting.py", "bridge/LICENSES.txt"} <= bundle.files("server")
    assert not bundle.files(f"server/site/{HERE}")  # nothing is for one platform alone
    shared = bundle.files("server/site/any")
    assert {"mattermost_plugin/_version.py", "mattermost_plugin/py.typed", "hpack/__init__.py"} <= shared
    assert f"mattermost_plugin-{__version__}.dist-info/METADATA" in shared


def test_the_sdk_in_a_bundle_has_no_command_and_needs_nothing_that_is_not_there(
    write_plugin: WritePlugin, unpack: Unpack
) -> None:
    bundle = unpack(build_bundle(write_plugin()))
    site = bundle.files("server/site")
    assert not [
        path for path in site if re.search(r"mattermost_plugin/(cli|_bridge)/|/packaging/|/tomli/", path)
    ]
    (bundle.folder / "import_all.py").write_text(IMPORT_ALL, encoding="utf-8")
    # -I -S: nothing of the environment that runs this test.
    told = subprocess.run(
        [sys.executable, "-I", "-S", "import_all.py", f"server/site/{HERE}", "server/site/any"],
        cwd=bundle.folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    answer = json.loads(told.stdout)
    assert answer["version"] == __version__
    assert (bundle.folder / answer["path"]).samefile(bundle.folder / "server/site/any/mattermost_plugin")
    assert answer["modules"] > 100
    # What an extra brings may be missing, nothing else.
    assert [entry for entry in answer["missing"] if entry[1] not in answer["extras"]] == []


def test_two_builds_are_equal_byte_for_byte(
    write_plugin: WritePlugin, unpack: Unpack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = project("mattermost-plugin[speed]", "iniconfig==2.1.0")
    one = build_bundle(write_plugin("one", files=files), output=tmp_path / "first")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    two = build_bundle(write_plugin("two", files=files), output=tmp_path / "second")
    assert unpack(one).checksums() == unpack(two).checksums()
    assert one.read_bytes() == two.read_bytes()


def test_checksums_cover_every_file_but_the_executables(write_plugin: WritePlugin, unpack: Unpack) -> None:
    bundle = unpack(build_bundle(write_plugin(files=project("iniconfig"))))
    checksums = bundle.checksums()
    below = {path for path in bundle.files() if path.startswith("server/")}
    assert set(checksums) == below - {"server/checksums.sha256", f"server/bridge/bridge-{HERE}"}
    assert list(checksums) == sorted(checksums)
    assert checksums == {path: bundle.digest(path) for path in checksums}


def test_nothing_in_a_bundle_tells_of_the_machine_that_built_it(
    write_plugin: WritePlugin, unpack: Unpack, tmp_path: Path
) -> None:
    bundle = unpack(build_bundle(write_plugin(files=project("iniconfig", "httpx"))))
    names = bundle.files()
    assert not [
        name for name in names if re.search(r"RECORD$|direct_url|INSTALLER|REQUESTED|\.pyc$|/bin/", name)
    ]
    needles = [str(tmp_path).encode(), str(ROOT).encode(), sys.prefix.encode()]
    telling = [
        name for name in names if any(needle in (bundle.folder / name).read_bytes() for needle in needles)
    ]
    assert telling == []


def test_a_bundle_for_four_platforms_has_each_ones_code_and_shares_the_rest(
    write_plugin: WritePlugin, unpack: Unpack
) -> None:
    folder = write_plugin(files=project("iniconfig", "markupsafe", "colorama; sys_platform == 'darwin'"))
    bundle = unpack(build_bundle(folder, platforms=PLATFORMS))
    assert set(bundle.manifest["server"]["executables"]) == set(PLATFORMS)
    for name in PLATFORMS:
        libraries = list((bundle.folder / f"server/site/{name}").rglob("*.so"))
        assert libraries
        assert all(name in platforms_of(library) for library in libraries)
        assert platforms_of(bundle.folder / bundle.manifest["server"]["executables"][name]) == {name}
        assert ("colorama/__init__.py" in bundle.files(f"server/site/{name}")) == name.startswith("darwin")
    shared = bundle.files("server/site/any")
    assert {"iniconfig/__init__.py", "mattermost_plugin/_version.py"} <= shared
    assert not [path for path in shared if path.endswith(".so")]


def test_what_a_requirement_needs_only_on_another_platform_is_found(
    write_plugin: WritePlugin, write_wheel: WriteWheel, unpack: Unpack, tmp_path: Path
) -> None:
    here, other = ("linux", "darwin") if HERE.system == "linux" else ("darwin", "linux")
    wheel = write_wheel(tmp_path, "outer", requires=f"iniconfig; sys_platform == '{other}'")
    folder = write_plugin(files=project(f"outer @ {wheel.as_uri()}"))
    bundle = unpack(build_bundle(folder, platforms=(f"{here}-amd64", f"{other}-amd64")))
    assert "outer.py" in bundle.files("server/site/any")
    assert "iniconfig/__init__.py" in bundle.files(f"server/site/{other}-amd64")
    assert "iniconfig/__init__.py" not in bundle.files(f"server/site/{here}-amd64")


def test_compiled_code_is_for_the_python_asked_for_and_the_author_is_told(
    write_plugin: WritePlugin, unpack: Unpack
) -> None:
    told: list[str] = []
    other = "3.12" if RUNNING != "3.12" else "3.11"
    folder = write_plugin(files=project("mattermost-plugin[speed]"))
    bundle = unpack(build_bundle(folder, python=other, report=told.append))
    library = f"cpython-{other.replace('.', '')}-"
    assert [path for path in bundle.files(f"server/site/{HERE}/uvloop") if library in path]
    assert f"  uvloop is compiled for Python {other}: the server has to run the plugin with it" in told
    assert bundle.manifest["server"]["requires_python"] == f"=={other}.*"


@pytest.mark.parametrize(
    ("requires", "asked", "problem"),
    [
        (">=3.10", "2.7", "Python 2.7 is not supported; choose of"),
        ("<3.12", "3.13", "pyproject.toml: project.requires-python: does not include Python 3.13"),
        (">=4", None, "pyproject.toml: project.requires-python: '>=4' includes none of Python 3.10"),
    ],
)
def test_a_python_that_does_not_fit_is_refused(
    write_plugin: WritePlugin, requires: str, asked: str | None, problem: str
) -> None:
    with pytest.raises(BuildError, match=re.escape(problem)):
        build_bundle(write_plugin(files=project(python=requires)), python=asked)


def test_a_requirements_file_comes_before_pyproject(write_plugin: WritePlugin, unpack: Unpack) -> None:
    files = {**project("no-such-distribution-anywhere"), "requirements.txt": "iniconfig==2.1.0  # pinned\n"}
    bundle = unpack(build_bundle(write_plugin(files=files)))
    assert "iniconfig-2.1.0.dist-info/METADATA" in bundle.files("server/site/any")


def test_requirements_with_hashes_may_name_a_released_sdk(write_plugin: WritePlugin, unpack: Unpack) -> None:
    locked = (ROOT / "requirements/dev.txt").read_text(encoding="utf-8")
    [entry] = re.findall(r"^hpack==.*(?:\n    .*)*", locked, re.MULTILINE)
    sdk = f"mattermost-plugin=={__version__} \\\n    --hash=sha256:{hashlib.sha256(b'released').hexdigest()}"
    bundle = unpack(build_bundle(write_plugin(files={"requirements.txt": f"{sdk}\n{entry}"})))
    assert "mattermost_plugin/_version.py" in bundle.files("server/site/any")
    broken = re.sub(r"sha256:\w{64}", f"sha256:{'0' * 64}", entry)
    folder = write_plugin("broken", files={"requirements.txt": f"{sdk}\n{broken}"})
    with pytest.raises(BuildError, match=r"(?s)requirements.txt: pip could not .* DO NOT MATCH THE HASHES"):
        build_bundle(folder)


@pytest.mark.parametrize(
    ("dependency", "problem"),
    [
        ("no-such-distribution-anywhere", "pyproject.toml: pip could not install what it names for"),
        ("mattermost-plugin>99", "mattermost-plugin>99"),
        ("hpack =>", "pyproject.toml: project.dependencies: 'hpack =>' cannot be read"),
    ],
)
def test_a_requirement_that_cannot_be_met_leaves_no_archive(
    write_plugin: WritePlugin, dependency: str, problem: str
) -> None:
    folder = write_plugin(files=project(dependency))
    with pytest.raises(BuildError, match=re.escape(problem)):
        build_bundle(folder)
    assert not (folder / "dist").exists()


def test_an_unknown_platform_names_the_known_ones(write_plugin: WritePlugin) -> None:
    with pytest.raises(
        BuildError, match="no bundle can be made for 'windows-amd64'; known are linux-amd64, "
    ):
        build_bundle(write_plugin(), platforms=("windows-amd64",))


def test_programs_and_data_of_a_wheel_arrive_as_they_would_be_installed(
    write_plugin: WritePlugin, write_wheel: WriteWheel, unpack: Unpack
) -> None:
    folder = write_plugin(files={"requirements.txt": "./tools-1.0-py3-none-any.whl\n"})
    files = {
        "tools_data/engine": ("#!/bin/sh\necho engine\n", 0o755),
        "tools_data/notes.txt": ("", 0o644),
        "tools-1.0.data/scripts/tools-shell": ("#!/bin/sh\necho shell\n", 0o755),
        "tools-1.0.data/scripts/tools-python": ("#!python\nprint('python')\n", 0o755),
        "tools-1.0.data/data/share/tools/table.txt": ("table", 0o644),
        "tools-1.0.data/headers/tools.h": ("", 0o644),
        "tools-1.0.dist-info/entry_points.txt": ("[console_scripts]\ntools-main = tools:main\n", 0o644),
        "startup.pth": ("import tools\n", 0o644),
    }
    write_wheel(folder, "tools", files=files)
    told: list[str] = []
    bundle = unpack(build_bundle(folder, report=told.append))
    site = bundle.folder / "server/site/any"
    assert bundle.files("server/site/any/bin") == {"tools-shell", "tools-python"}
    assert not (site / "include").exists()
    programs = (("tools_data/engine", "engine"), ("bin/tools-shell", "shell"), ("bin/tools-python", "python"))
    for program, answer in programs:
        done = subprocess.run([site / program], capture_output=True, text=True, check=True)
        assert done.stdout == f"{answer}\n"
    assert (site / "bin/tools-python").read_text().startswith("#!/usr/bin/env python3\n")
    assert (site / "share/tools/table.txt").read_text() == "table"
    assert (site / "tools_data/notes.txt").stat().st_mode & 0o777 == 0o644
    assert "startup.pth of tools has no effect in a bundle: Python reads it elsewhere" in told
