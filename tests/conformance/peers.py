"""The other implementations: built, started, and stopped."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
GO_MODULE = Path(__file__).parent / "go"


def build_go(package: str, name: str) -> Path:
    """Return a Go program of the conformance module, built once for its sources."""
    digest = hashlib.sha256()
    for source in sorted([*GO_MODULE.rglob("*.go"), GO_MODULE / "go.mod", GO_MODULE / "go.sum"]):
        digest.update(source.relative_to(GO_MODULE).as_posix().encode() + b"\0" + source.read_bytes())
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    program = base / "mattermost-plugin" / "conformance" / digest.hexdigest()[:16] / name
    if not program.exists():
        program.parent.mkdir(parents=True, exist_ok=True)
        unfinished = program.with_name(f"{name}.{os.getpid()}")
        subprocess.run(["go", "build", "-o", unfinished, package], cwd=GO_MODULE, check=True)
        unfinished.replace(program)
    return program


def peer() -> Path:
    """Return the grpc-go peer."""
    return build_go("./peer", "peer")


def h2spec() -> Path:
    """Return h2spec."""
    return build_go("github.com/summerwind/h2spec/cmd/h2spec", "h2spec")


@contextlib.contextmanager
def running(command: list[str | Path]) -> Iterator[str]:
    """Run a server that prints its address and ends with its standard input; yield the address."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT)))}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address, f"{command} did not start"
        try:
            yield address
        finally:
            process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def python_server(driver: str, target: str, **options: Any) -> list[str | Path]:
    """Return the command of a server under test, or of grpcio's."""
    return [sys.executable, "-m", "tests.conformance.serve", driver, target, json.dumps(options)]


def server_command(kind: str, target: str) -> list[str | Path]:
    """Return the command of any server: a driver's, grpcio's, or grpc-go's."""
    return [peer(), "serve", target] if kind == "grpc-go" else python_server(kind, target)
