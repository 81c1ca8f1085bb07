"""Write the page of a run and its charts: `python -m benchmarks.report dist/benchmark.json`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.report.figures import FIGURES
from benchmarks.report.page import page
from benchmarks.report.text import summary
from benchmarks.results import Results

if TYPE_CHECKING:
    from collections.abc import Sequence

DOCS = Path(__file__).parents[2] / "docs"
FOLDER = "benchmarks"


def main(arguments: Sequence[str] | None = None) -> None:
    """Write what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report", description=__doc__)
    parser.add_argument(
        "results",
        type=Path,
        nargs="+",
        help="what `python -m benchmarks` wrote; of groups in several, the last one's are taken",
    )
    parser.add_argument(
        "--docs", type=Path, default=DOCS, help="where benchmarks.md and the folder of its charts go"
    )
    parser.add_argument("--text", action="store_true", help="print a summary and write nothing")
    options = parser.parse_args(arguments)
    try:
        results, *later = [Results.read(path) for path in options.results]
        for run in later:
            results.replace_groups(run)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    if options.text:
        print(summary(results))
        return
    folder = options.docs / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    drawn = {name: drawing for name, figure in FIGURES.items() if (drawing := figure.draw(results))}
    for old in folder.glob("*.svg"):
        if old.stem not in drawn:
            old.unlink()
    for name, drawing in drawn.items():
        (folder / f"{name}.svg").write_text(drawing)
    (options.docs / "benchmarks.md").write_text(page(results, drawn, FOLDER))


if __name__ == "__main__":
    main()
