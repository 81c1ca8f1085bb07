"""What is measured: one bundle per rival, laid out in a folder of the run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

__all__ = ["RIVALS", "Rival", "Workshop"]

ROOT = Path(__file__).parent.parent
PLUGINS = Path(__file__).parent / "plugins"
PROTO = ROOT / "schema" / "proto"


@dataclass(frozen=True)
class Rival:
    """One column of the table.

    Attributes:
        name: The column's name.
        mode: "server" (Mattermost's plugin.Environment over net/rpc) or "native" (package host over gRPC).
        entrypoint: The module under plugins/; "" for the Go plugin.
    """

    name: str
    mode: str
    entrypoint: str = ""


# The Go plugin comes first: every ratio is against it.
RIVALS = (
    Rival("go", "server"),
    Rival("python sync", "native", "sync_plugin"),
    Rival("python async", "native", "async_plain_plugin"),
    Rival("python async uvloop", "native", "async_plugin"),
    Rival("python sync, bridge", "server", "sync_plugin"),
    Rival("python async uvloop, bridge", "server", "async_plugin"),
    Rival("grpcio", "native", "grpcio_plugin"),
)


class Workshop:
    """Builds the programs and bundles of a run.

    Args:
        directory: An empty folder for them.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._platform = f"{_go('env', 'GOOS')}-{_go('env', 'GOARCH')}"

    @property
    def load(self) -> Path:
        """The program that runs a plugin and measures it."""
        return self._directory / "load"

    @property
    def proto_modules(self) -> Path:
        """Folder with protoc's Python output for the grpcio rival."""
        return self._directory / "proto"

    def prepare(self) -> None:
        """Build everything that all rivals share.

        Raises:
            subprocess.CalledProcessError: A compiler failed; it has said why.
        """
        for name, package in (
            ("load", "./internal/benchmark/load"),
            ("goplugin", "./internal/benchmark/goplugin"),
            ("bridge", "./cmd/bridge"),
        ):
            print(f"building {name}", flush=True)
            _go("build", "-trimpath", "-ldflags", "-s -w", "-o", str(self._directory / name), package)
        self.proto_modules.mkdir()
        protos = sorted(str(path.relative_to(PROTO)) for path in PROTO.rglob("*.proto"))
        command = [
            sys.executable,
            "-m",
            "grpc_tools.protoc",
            f"-I{PROTO}",
            f"--python_out={self.proto_modules}",
        ]
        subprocess.run([*command, f"--grpc_python_out={self.proto_modules}", *protos], check=True)

    def bundle(self, rival: Rival) -> Path:
        """Lay the bundle of a rival out and return its folder, which is named as the plugin's id."""
        plugin_id = "benchmark." + rival.name.replace(" ", "-").replace(",", "")
        folder = self._directory / "bundles" / rival.mode / plugin_id / plugin_id
        (folder / "server").mkdir(parents=True)
        executable = folder / "server" / "executable"
        shutil.copy(self._directory / ("bridge" if rival.entrypoint else "goplugin"), executable)
        server: dict[str, object] = {"executables": {self._platform: "server/executable"}}
        if rival.entrypoint:
            for module in PLUGINS.glob("*.py"):
                shutil.copy(module, folder / "server")
            server |= {"runtime": "python3", "entrypoint": f"server/{rival.entrypoint}.py"}
        manifest = {"id": plugin_id, "name": rival.name, "version": "1.0.0", "server": server}
        (folder / "plugin.json").write_text(json.dumps(manifest))
        return folder

    def environment(self) -> dict[str, str]:
        """Return the environment of a measured plugin: the interpreter that runs this program comes first."""
        path = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
        return os.environ | {
            "PATH": os.pathsep.join(path),
            "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(self.proto_modules)]),
        }


def _go(*arguments: str) -> str:
    done = subprocess.run(["go", *arguments], cwd=ROOT / "go", check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()
