"""Measure the gRPC endpoint alone: `python -m benchmarks.grpc_endpoint`.

Servers in Python are called by grpc-go, clients in Python call grpc-go, one after another and several times
over, so that what else the machine does meets all of them. Beside them: the same calls between two Go
programs, over gRPC and over net/rpc with yamux, which is how a Go plugin talks to its server.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
SERVERS = ["netrpc", "go", "aio", "aio-plain", "uvloop", "threads", "grpcio", "grpcio-aio"]
CLIENTS = ["aio", "uvloop", "threads", "grpcio"]
Rows = dict[tuple[str, int], list[dict[str, float]]]


@contextlib.contextmanager
def running(command: list[str | Path]) -> Iterator[None]:
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment()
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield
        finally:
            process.stdin.close()


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(HERE.parents[1] / "src")}


def measured(command: list[str | Path], what: str, rows: Rows) -> None:
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment())
    for row in json.loads(done.stdout):
        rows[what, row["callers"]].append(row)


def one_round(load: Path, directory: Path, options: argparse.Namespace, rows: Rows) -> None:
    flags = ["-callers", options.callers, "-seconds", str(options.seconds), "-timeout", options.timeout]
    for kind in SERVERS:
        path = directory / f"{kind}.sock"
        path.unlink(missing_ok=True)
        server: list[str | Path] = [sys.executable, HERE / "serve.py", kind, path]
        client: list[str | Path] = [load, *flags, "client", f"unix:{path}"]
        if kind == "netrpc":
            server, client = [load, "netrpc", path], [load, *flags, "netrpc-client", path]
        elif kind == "go":
            server = [load, "serve", path]
        with running(server):
            measured(client, f"Go calls {kind}", rows)
    path = directory / "go-server.sock"
    path.unlink(missing_ok=True)
    with running([load, "serve", path]):
        for kind in CLIENTS:
            command = [sys.executable, HERE / "call.py", kind, path, str(options.seconds), options.callers]
            measured(command, f"{kind} calls Go", rows)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.grpc_endpoint", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured (default: 3)")
    parser.add_argument(
        "--callers", default="1,16,64", help="numbers of concurrent callers (default: 1,16,64)"
    )
    parser.add_argument("--seconds", type=float, default=1.0, help="length of one measurement (default: 1)")
    parser.add_argument("--timeout", default="0s", help="deadline of the calls that Go makes (default: none)")
    parser.add_argument("--output", type=Path, help="where the JSON goes (default: nowhere)")
    options = parser.parse_args()
    rows: Rows = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="bench") as name:
        directory = Path(name)
        load = directory / "load"
        subprocess.run(["go", "build", "-o", load, "."], cwd=HERE / "go", check=True)
        for _ in range(options.rounds):
            one_round(load, directory, options, rows)
    print(f"{'':20}{'callers':>8}{'median us':>12}{'p99 us':>12}{'per second':>12}")
    for (what, callers), found in rows.items():
        values = [
            statistics.median(row[key] for row in found) for key in ("median_us", "p99_us", "per_second")
        ]
        print(f"{what:20}{callers:8}{values[0]:12.1f}{values[1]:12.1f}{values[2]:12.0f}")
    if options.output is not None:
        table = [{"what": what, "rounds": found} for (what, _), found in rows.items()]
        options.output.write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
