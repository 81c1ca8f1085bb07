"""Runs the protobuf compiler over generated .proto files."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from codegen.problems import CodegenError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

GO_MODULE = Path(__file__).parent.parent / "go"


class ProtocError(CodegenError):
    """The compiler, or a plugin of it, refused."""


def compile_protos(protos: Mapping[str, str], options: Sequence[str]) -> dict[str, str]:
    """Compile .proto files and return what comes out.

    Args:
        protos: Import path -> text.
        options: Further options; ``{out}`` in them becomes the directory that is read afterwards.

    Returns:
        Path below the output directory -> text.

    Raises:
        ProtocError: with the compiler's message.
    """
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory, "in")
        out = Path(directory, "out")
        out.mkdir()
        for path, text in protos.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{root}"]
        command += [option.format(out=out) for option in options]
        _run([*command, *sorted(protos)])
        return {
            path.relative_to(out).as_posix(): path.read_text(encoding="utf-8")
            for path in sorted(out.rglob("*"))
            if path.is_file()
        }


def go_tool(name: str) -> str:
    """Return the path of a tool that go/go.mod pins, building it if necessary."""
    return _run(["go", "tool", "-n", name], cwd=GO_MODULE).strip()


def _run(command: Sequence[str], cwd: Path | None = None) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ProtocError(f"{' '.join(command[:4])} ... failed:\n{done.stderr.strip()}")
    return done.stdout
