"""A summary for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.report.goals import GOALS, reached
from benchmarks.report.numbers import amount, factor
from benchmarks.rivals import BASE

if TYPE_CHECKING:
    from benchmarks.results import Quantity, Results, Series

__all__ = ["summary"]

# The unit by which a row is shown. Time tells with one caller, throughput with many.
_UNITS = {
    "payload": "us",
    "list": "us",
    "download": "MB/s",
    "upload": "MB/s",
    "file": "MB/s",
    "replace": "MB/s",
    "select": "rows per second",
    "activate": "ms",
    "memory": "MiB",
    "hello": "ms to serve",
    "plugins": "MiB, shared in parts",
}


def summary(results: Results) -> str:
    """Return a line for each row and rival, and what was reached of what is aimed at."""
    lines: list[str] = []
    before: Quantity | None = None
    for series in sorted(results.series, key=_order):
        quantity = series.quantity
        wanted = _UNITS.get(quantity.row) or ("us" if quantity.at == 1 else "per second")
        if quantity.unit != wanted:
            continue
        if quantity != before:
            lines += ["", f"{quantity.group}: {quantity.row} {quantity.at or ''}, {quantity.unit}"]
            before = quantity
        ratio = results.ratio(series, BASE.name)
        beside = f"  {factor(ratio)}" if ratio is not None else ""
        lines.append(f"  {series.rival:30}{amount(series.median):>12}{beside}")
    found = [each for goal in GOALS for each in reached(results, goal)]
    missed = [each for each in found if not each.met]
    lines += ["", f"{len(found) - len(missed)} of {len(found)} goals reached"]
    for each in missed:
        sign = "at least" if each.goal.least else "at most"
        bound = each.goal.bound_of(each.rival)
        lines.append(
            f"  missed: {each.goal.about}: {each.rival}: {each.value:.3g}, wanted {sign} {bound:.3g}"
        )
    return "\n".join(lines[1:])


def _order(series: Series) -> tuple[str, str, int]:
    return series.quantity.group, series.quantity.row, series.quantity.at
