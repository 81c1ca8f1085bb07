"""Measure every rival in turn, several times over, and print one table of medians and ratios."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

from benchmarks.rivals import RIVALS, Workshop
from benchmarks.start import measure_import, measure_start

Rows = dict[tuple[str, int, str], dict[str, list[float]]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each rival is measured (default: 5)")
    parser.add_argument("--callers", default="1,16", help="numbers of concurrent callers (default: 1,16)")
    parser.add_argument("--seconds", type=float, default=1.0, help="length of one hook row (default: 1)")
    parser.add_argument(
        "--output", type=Path, default=Path("dist/benchmark.json"), help="where the JSON goes"
    )
    options = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix="bench") as directory:
        workshop = Workshop(Path(directory))
        workshop.prepare()
        bundles = {rival: workshop.bundle(rival) for rival in RIVALS}
        rows: Rows = defaultdict(lambda: defaultdict(list))
        starts: dict[str, list[float]] = defaultdict(list)
        for number in range(options.rounds):
            # In turn, so that a change of the machine's speed meets all of them.
            for rival in RIVALS:
                print(f"round {number + 1} of {options.rounds}: {rival.name}", flush=True)
                command = [str(workshop.load), "-mode", rival.mode, "-bundle", str(bundles[rival])]
                command += ["-callers", options.callers, "-duration", f"{options.seconds}s"]
                done = subprocess.run(
                    command, env=workshop.environment(), check=True, stdout=subprocess.PIPE, text=True
                )
                for row in json.loads(done.stdout):
                    rows[row["what"], row["callers"], "us"][rival.name].append(row["p50_ns"] / 1000)
                    rows[row["what"], row["callers"], "per second"][rival.name].append(row["per_second"])
                    rows[row["what"], row["callers"], "host CPU us"][rival.name].append(row["host_cpu_us"])
                    rows[row["what"], row["callers"], "plugin CPU us"][rival.name].append(
                        row["plugin_cpu_us"]
                    )
            starts["import mattermost_plugin, ms"].append(measure_import(workshop.environment()))
            took, resident = measure_start(workshop.environment())
            starts["hello: exec to serving, ms"].append(took)
            starts["hello: resident, MiB"].append(resident)

    report = summarise(rows, starts)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(report, indent=1) + "\n")
    print(table(report))
    print(f"\nwritten to {options.output}")


def units(row: dict[str, Any]) -> dict[str, float]:
    """Return what a row of the load program says, by unit."""
    return {
        "us": row["p50_ns"] / 1000,
        "per second": row["per_second"],
        "host CPU us": row["host_cpu_us"],
        "plugin CPU us": row["plugin_cpu_us"],
    }


def summarise(rows: Rows, starts: dict[str, list[float]]) -> dict[str, Any]:
    """Return the medians, and for each rival the median of its ratios to the Go plugin, round by round."""
    base = RIVALS[0].name
    measured = []
    for (what, callers, unit), by_rival in rows.items():
        for name, values in by_rival.items():
            ratios = [value / reference for value, reference in zip(values, by_rival[base], strict=True)]
            measured.append(
                {
                    "what": what,
                    "callers": callers,
                    "unit": unit,
                    "rival": name,
                    "median": statistics.median(values),
                    "ratio": statistics.median(ratios),
                    "values": values,
                }
            )
    return {
        "machine": {
            "cores": os.cpu_count(),
            "machine": platform.machine(),
            "python": platform.python_version(),
        },
        "rows": measured,
        "start": {
            what: {"median": statistics.median(values), "values": values} for what, values in starts.items()
        },
    }


def table(report: dict[str, Any]) -> str:
    """Return the report as text: a line per rival, each cell a median and its ratio to the Go plugin."""
    heads = list(dict.fromkeys((row["what"], row["callers"], row["unit"]) for row in report["rows"]))
    # Time tells with one caller, throughput with many; processor time shows where it goes.
    speed = [head for head in heads if head[2] == ("us" if head[1] == 1 else "per second")]
    processor = [head for head in heads if head[2] == "plugin CPU us"]
    start = [f"{what}: {values['median']:.0f}" for what, values in report["start"].items()]
    return "\n".join([*_block(report, speed), "", *_block(report, processor), "", *start])


def _block(report: dict[str, Any], heads: list[tuple[str, int, str]]) -> list[str]:
    cells = {(row["rival"], row["what"], row["callers"], row["unit"]): row for row in report["rows"]}
    lines = ["".ljust(30) + "".join(f"{what} {callers}, {unit}".rjust(24) for what, callers, unit in heads)]
    for rival in RIVALS:
        keys = [(rival.name, *head) for head in heads]
        found = [cells[key] for key in keys]
        values = [f"{cell['median']:,.0f}  x{cell['ratio']:.2f}".rjust(24) for cell in found]
        lines.append(rival.name.ljust(30) + "".join(values))
    return lines


if __name__ == "__main__":
    main()
