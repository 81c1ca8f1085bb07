"""`python -m tests.torture`: the long run, as a table."""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import random
import sys
import tempfile
from pathlib import Path

from tests.harness import TestBench
from tests.torture.faults import FAULTS
from tests.torture.run import run
from tests.torture.scene import Scene


def main() -> int:
    """Run and return the exit status: 1 if something happened that must not."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="how much of the long run (1)")
    parser.add_argument(
        "--only", action="append", choices=sorted(FAULTS), help="only this fault; may be repeated"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, help="a file for the table")
    arguments = parser.parse_args()
    names = [
        name
        for name, (_, times) in FAULTS.items()
        if name in (arguments.only or FAULTS)
        for _ in range(max(1, round(times * arguments.share)))
    ]
    random.Random(arguments.seed).shuffle(names)
    with tempfile.TemporaryDirectory(prefix="torture-") as folder:
        temporary = Path(folder, "tmp")
        temporary.mkdir(mode=0o755)
        bundles = Path(folder, "bundles")
        bundles.mkdir()
        # The server passes it on to plugins, so that what they leave behind is seen.
        os.environ["TMPDIR"] = str(temporary)
        with TestBench() as bench, Scene(bench, bench.start_server(), bundles, seed=arguments.seed) as scene:
            account = run(scene, names, temporary)
    today = datetime.datetime.now(tz=datetime.timezone.utc).date()
    text = (
        f"{today}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}, seed {arguments.seed}.\n\n{account.table()}\n"
    )
    sys.stdout.write(text)
    if arguments.output:
        arguments.output.write_text(text)
    failures = account.failures()
    for line in failures[:50]:
        sys.stderr.write(f"{line}\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
