"""Compiles the core of the gRPC endpoint by mypyc, from the SDK's sources nearby, and what is in C."""

from __future__ import annotations

import re
import sys
import zlib
from pathlib import Path
from typing import Any

from mypyc.build import mypycify
from setuptools import Extension, setup
from setuptools.command.build_py import build_py

SOURCES = Path(__file__).parent.parent / "src" / "mattermost_plugin"
CORE = SOURCES / "_grpc"
#: What most of a call's Python is spent in.
MODULES = (
    "aio/client_transport",
    "aio/server_calls",
    "aio/server_transport",
    "aio/transport",
    "aio/unary_calls",
    "aio/waiters",
    "calls",
    "client",
    "client_calls",
    "connection",
    "control",
    "data",
    "floods",
    "frames",
    "header_encoder",
    "messages",
    "metadata",
    "options",
    "requests",
    "responses",
    "sending",
    "server",
    "status",
    "streams",
    "threads/callers",
    "threads/client_socket",
    "threads/server",
    "threads/server_calls",
    "threads/server_connection",
    "threads/shared_connection",
    "threads/unary_calls",
    "timeouts",
)
#: What is written in C, and for which source.
WRITTEN = {
    "layouts": SOURCES / "_codec" / "compiled.py",
    "semaphores": CORE / "threads" / "semaphores.py",
    "unary_frames": CORE / "unary_frames.py",
}


class BuildPy(build_py):
    """Adds what the SDK compares its own sources with."""

    def run(self) -> None:
        """Write the module behind the others."""
        super().run()
        sources = [*(CORE / f"{name}.py" for name in MODULES), *WRITTEN.values()]
        sums = {
            source.relative_to(SOURCES).with_suffix("").as_posix(): zlib.crc32(source.read_bytes())
            for source in sources
        }
        text = f'"""Checksums (CRC-32) of the sources."""\n\nSOURCES = {sums!r}\n'
        Path(self.build_lib, "mattermost_plugin_speed", "_sources.py").write_text(text)


def version() -> str:
    """Return the SDK's version."""
    found = re.search(r'__version__ = "(.+)"', (SOURCES / "_version.py").read_text())
    if found is None:
        raise SystemExit("src/mattermost_plugin/_version.py has no version")
    return found[1]


def extensions() -> list[Any]:
    """Return the compiled modules, named to lie beside the package of the SDK, which decides what it uses."""
    if {"egg_info", "dist_info"} & set(sys.argv):
        return []  # only the metadata is asked for
    arguments = ["--config-file", str(Path(__file__).parent / "mypy.ini")]
    arguments += [str(CORE / f"{name}.py") for name in MODULES]
    made = mypycify(arguments, opt_level="3", group_name="mattermost_plugin_speed")
    for extension in made:
        extension.name = extension.name.replace("mattermost_plugin.", "mattermost_plugin_speed.", 1)
    names = list(WRITTEN)
    if not sys.platform.startswith("linux"):
        names.remove("semaphores")  # macOS has no semaphores without a name
    for name in names:
        made.append(Extension(f"mattermost_plugin_speed._{name}", [f"mattermost_plugin_speed/{name}.c"]))
    return list(made)


setup(
    version=version(),
    install_requires=[f"mattermost-plugin=={version()}"],
    ext_modules=extensions(),
    cmdclass={"build_py": BuildPy},
)
