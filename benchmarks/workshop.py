"""Builds what is measured: programs, and bundles laid out in a folder of the run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.rivals import Rival

__all__ = ["ROOT", "Workshop"]

ROOT = Path(__file__).parent.parent
PLUGINS = Path(__file__).parent / "plugins"
PROTO = ROOT / "schema" / "proto"

PROGRAMS = {
    "load": "./internal/benchmark/load",
    "goplugin": "./internal/benchmark/goplugin",
    "grpcplugin": "./internal/benchmark/grpcplugin",
    "bridge": "./cmd/bridge",
}

# Seconds. Measuring inside a plugin takes as long as it takes.
COMMAND_TIMEOUT = 600


class Workshop:
    """Builds the programs and bundles of a run.

    Args:
        directory: An empty folder for them.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._platform = f"{go('env', 'GOOS')}-{go('env', 'GOARCH')}"

    @property
    def load(self) -> Path:
        """The program that runs plugins and measures them."""
        return self._directory / "load"

    @property
    def _proto_modules(self) -> Path:
        return self._directory / "proto"

    def prepare(self) -> None:
        """Build everything that rivals share.

        Raises:
            subprocess.CalledProcessError: A compiler failed; it has said why.
        """
        for name, package in PROGRAMS.items():
            go("build", "-trimpath", "-ldflags", "-s -w", "-o", str(self._directory / name), package)
        self._proto_modules.mkdir()
        protos = sorted(str(path.relative_to(PROTO)) for path in PROTO.rglob("*.proto"))
        command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTO}"]
        command += [f"--python_out={self._proto_modules}", f"--grpc_python_out={self._proto_modules}"]
        subprocess.run([*command, *protos], check=True)

    def bundles(self, rival: Rival, *, serving: bool = False, count: int = 1) -> Path:
        """Lay bundles of a rival out, unless they are there, and return their folder.

        Args:
            rival: Whose.
            serving: Whether they are to serve HTTP, where that is another module.
            count: How many, all alike but for their ids.
        """
        entrypoint = (serving and rival.serving) or rival.entrypoint
        folder = self._directory / "bundles" / f"{rival.slug}-{entrypoint}"
        for number in range(count):
            plugin_id = f"benchmark.{rival.slug}-{number:02}"
            if not (folder / plugin_id).exists():
                self._lay_out(folder / plugin_id, plugin_id, rival, entrypoint)
        return folder

    def _lay_out(self, bundle: Path, plugin_id: str, rival: Rival, entrypoint: str) -> None:
        (bundle / "server").mkdir(parents=True)
        server: dict[str, object] = {}
        if rival.mode == "server" or not entrypoint:
            server["executables"] = {self._platform: "server/executable"}
            # A copy of its own, as each installed plugin has.
            shutil.copy(self._directory / rival.executable, bundle / "server" / "executable")
        if entrypoint:
            for module in PLUGINS.glob("*.py"):
                shutil.copy(module, bundle / "server")
            server |= {"runtime": "python3", "entrypoint": f"server/{entrypoint}.py"}
        settings = {"hook_timeouts": {"execute_command": COMMAND_TIMEOUT}}
        manifest = {
            "id": plugin_id,
            "name": rival.name,
            "version": "1.0.0",
            "server": server,
            "props": {"mattermost_plugin": settings},
        }
        (bundle / "plugin.json").write_text(json.dumps(manifest))

    def environment(self, *, sources: bool = False) -> dict[str, str]:
        """Return the environment of measured plugins: the interpreter that runs this program comes first.

        Args:
            sources: Whether everything is to run as its sources, without the compiled core.
        """
        path = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
        return os.environ | {
            "PATH": os.pathsep.join(path),
            "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(self._proto_modules)]),
            "MATTERMOST_PLUGIN_PURE": "1" if sources else "",
        }


def go(*arguments: str) -> str:
    """Run the go command in the module and return what it prints."""
    done = subprocess.run(["go", *arguments], cwd=ROOT / "go", check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()
