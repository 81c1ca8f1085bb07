"""The Go side of the cross-language tests: a process that makes, checks and echoes values."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

ROOT = Path(__file__).parents[2]


class GoPeer:
    """Speaks with ``go/internal/contracttest/peer`` over its standard streams."""

    def __init__(self, executable: Path) -> None:
        self._process = subprocess.Popen(
            [executable], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
        )

    @classmethod
    def build(cls, directory: Path) -> Path:
        """Compile the peer and return its path."""
        executable = directory / "peer"
        subprocess.run(
            ["go", "build", "-o", executable, "./internal/contracttest/peer"], cwd=ROOT / "go", check=True
        )
        return executable

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        self._process.wait(timeout=60)

    def ask(self, op: str, **arguments: Any) -> dict[str, Any]:
        """Send one request and return the reply; bytes travel as base64."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = {"op": op, **arguments}
        if "data" in request:
            request["data"] = base64.b64encode(request["data"]).decode()
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        reply: dict[str, Any] = json.loads(self._process.stdout.readline())
        if "error" in reply:
            raise AssertionError(f"Go peer, {op} {arguments.get('type', '')}: {reply['error']}")
        return reply

    def data(self, op: str, **arguments: Any) -> bytes:
        """Send one request whose reply is a message."""
        return base64.b64decode(self.ask(op, **arguments).get("data", ""))

    def make(self, name: str, seed: int, *, sparse: bool) -> bytes:
        """Return a Go value of a type, filled from a seed, as its message."""
        return self.data("make", type=name, seed=seed, sparse=sparse)

    def differences(self, name: str, seed: int, data: bytes, *, sparse: bool) -> list[str]:
        """Compare a message with the Go value that ``make`` makes of the same seed."""
        reply = self.ask("verify", type=name, seed=seed, sparse=sparse, data=data)
        return list(reply.get("differences", ()))

    def echo(self, name: str, data: bytes) -> bytes:
        """Send a message through the Go type and return what comes back."""
        return self.data("echo", type=name, data=data)
