"""Measure all rivals in one run and write it as JSON, of which `benchmarks.report` makes pages and charts."""

from __future__ import annotations

import argparse
import tempfile
import time
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.groups import GROUPS
from benchmarks.machine import describe
from benchmarks.measuring import Measuring, say
from benchmarks.report.text import summary
from benchmarks.results import Results
from benchmarks.workshop import Workshop

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.groups import Group

DEFAULT_ROUNDS, DEFAULT_SECONDS = 5, 0.3
QUICK_ROUNDS, QUICK_SECONDS = 1, 0.1


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what the command line asks for."""
    options = _parser().parse_args(arguments)
    rounds = options.rounds or (QUICK_ROUNDS if options.quick else DEFAULT_ROUNDS)
    seconds = options.seconds or (QUICK_SECONDS if options.quick else DEFAULT_SECONDS)
    begin = time.monotonic()
    about: dict[str, Any] = {
        "date": f"{datetime.now(timezone.utc):%Y-%m-%d}",
        "rounds": rounds,
        "seconds": seconds,
        "quick": options.quick,
        "groups": [group.name for group in options.only],
        **describe(),
    }
    results = Results(about)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench")))
        workshop = Workshop(directory)
        say("building")
        workshop.prepare()
        database = _database(stack, directory) if any(group.database for group in options.only) else ""
        measuring = Measuring(
            workshop, results, seconds=seconds, database=database, quick=options.quick, say=say
        )
        measuring.measure(options.only, rounds)
    about["minutes"] = round((time.monotonic() - begin) / 60, 1)
    results.write(options.output)
    print(summary(results))
    print(f"\nwritten to {options.output}")


def _parser() -> argparse.ArgumentParser:
    lines = [f"  {group.name:12}{group.about}" for group in GROUPS]
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        epilog="\n".join(["groups of rows:", *lines]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, help=f"how often to measure each (default: {DEFAULT_ROUNDS})")
    parser.add_argument(
        "--seconds", type=float, help=f"length of a row measured by time (default: {DEFAULT_SECONDS})"
    )
    parser.add_argument("--only", type=_groups, default=list(GROUPS), help="groups of rows, as in calls,http")
    parser.add_argument("--quick", action="store_true", help="fewer points, one round, a moment for each")
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("dist/benchmark.json"),
        help="where the JSON goes (default: %(default)s)",
    )
    return parser


def _groups(names: str) -> list[Group]:
    known = {group.name: group for group in GROUPS}
    unknown = [name for name in names.split(",") if name not in known]
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no {unknown[0]!r}; there are {', '.join(known)}")
    return [known[name] for name in names.split(",")]


def _database(stack: ExitStack, directory: Path) -> str:
    """Start a PostgreSQL and return its address."""
    from tests.harness.guardian import Guardian
    from tests.harness.postgres import Postgres

    guardian = stack.enter_context(Guardian())
    postgres = Postgres(directory / "postgres", guardian)
    stack.callback(postgres.close)
    return postgres.create_database("benchmark")


if __name__ == "__main__":
    main()
