"""Tables of medians and of their ratios to the Go plugin, as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from benchmarks.report.goals import GOALS, Reached, reached
from benchmarks.report.numbers import amount, factor
from benchmarks.rivals import BASE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.results import Quantity, Results

__all__ = ["Column", "goals_table", "markdown", "table"]


class Column(NamedTuple):
    """A column: one quantity."""

    head: str
    quantity: Quantity


def table(results: Results, columns: Sequence[Column], *, ratios: bool = True) -> str:
    """Return a table with a line for each rival that has any of the columns; "" if there is none.

    Args:
        results: What was measured.
        columns: What to show of it; those nobody has are left out.
        ratios: Whether to show the ratio to the Go plugin beside each median.
    """
    names = list(dict.fromkeys(each.rival for each in results.series))
    cells = {
        (name, column): _cell(results, column, name, ratios=ratios) for column in columns for name in names
    }
    columns = [column for column in columns if any(cells[name, column] for name in names)]
    lines = [
        [name, *(cells[name, column] or "-" for column in columns)]
        for name in names
        if any(cells[name, column] for column in columns)
    ]
    return markdown(["", *(column.head for column in columns)], lines) if lines else ""


def _cell(results: Results, column: Column, rival: str, *, ratios: bool) -> str:
    series = results.find(column.quantity, rival)
    if series is None:
        return ""
    ratio = results.ratio(series, BASE.name) if ratios and rival != BASE.name else None
    return amount(series.median) + (f" ({factor(ratio)})" if ratio is not None else "")


def goals_table(results: Results) -> str:
    """Return what was aimed at and what was reached, by kind of plugin; "" if nothing of it was measured."""
    found = [(goal, each) for goal in GOALS if (each := reached(results, goal))]
    kinds = list(dict.fromkeys(_kind(rival) for goal, _ in found for rival in goal.rivals))
    lines = []
    for goal, values in found:
        bounds = dict.fromkeys(goal.bound_of(rival) for rival in goal.rivals)
        sign = "≥" if goal.least else "≤"
        by_kind = {_kind(each.rival): _reached(each) for each in values}
        wanted = ", ".join(f"{sign} {bound:.3g}" for bound in bounds)
        lines.append([goal.about, wanted, *(by_kind.get(kind, "") for kind in kinds)])
    return markdown(["", "wanted", *kinds], lines) if lines else ""


def _kind(rival: str) -> str:
    return rival.removeprefix("Python ").removesuffix(", bridge")


def _reached(each: Reached) -> str:
    value = f"{each.value:.3g}" if each.value < 1000 else f"{each.value:,.0f}"
    return value if each.met else f"**{value}** (missed)"


def markdown(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a table; all columns but the first are aligned to the right."""
    rule = ["---", *("---:" for _ in heads[1:])]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, rule, *lines))
