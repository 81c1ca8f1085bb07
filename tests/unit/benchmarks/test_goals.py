from __future__ import annotations

import pytest

from benchmarks.groups import GROUPS
from benchmarks.report.charts import Bars
from benchmarks.report.figures import FIGURES
from benchmarks.report.goals import GOALS, Goal, reached
from benchmarks.results import Quantity, Results
from benchmarks.rivals import BASE, RIVALS

TIME = Quantity("calls", "hook", 1, "us")


def measured(**values: float) -> Results:
    results = Results({})
    for rival, value in values.items():
        results.add("calls", "hook", 1, rival, {"us": value})
    return results


def goal(**changes: object) -> Goal:
    settings: dict[str, object] = {
        "bound": 1.0,
        "rivals": ("Python",),
        "base": {"Python": "Go"},
        "least": False,
    }
    return Goal("a hook", TIME, **(settings | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(("time", "met"), [(99, True), (100, True), (101, False)])
def test_an_upper_bound_is_for_the_ratio(time: float, met: bool) -> None:
    (each,) = reached(measured(Go=100, Python=time), goal())
    assert (each.value, each.met) == (time / 100, met)


def test_a_lower_bound_is_met_from_above() -> None:
    (each,) = reached(measured(Go=100, Python=199), goal(bound=2.0, least=True))
    assert not each.met
    (each,) = reached(measured(Go=100, Python=200), goal(bound=2.0, least=True))
    assert each.met


def test_a_rival_may_have_a_bound_of_its_own() -> None:
    (each,) = reached(measured(Go=100, Python=115), goal(other_bounds={"Python": 1.2}))
    assert each.met


def test_without_a_base_the_median_counts() -> None:
    (each,) = reached(measured(Python=240), goal(base=None, bound=250))
    assert each.value == 240
    assert each.met


def test_who_was_not_measured_reaches_nothing() -> None:
    assert reached(measured(Go=100), goal()) == []
    assert reached(measured(Python=100), goal()) == []


def test_goals_and_charts_are_about_what_is_measured() -> None:
    """A goal for a row that no group has would never be looked at."""
    rows = {(group.name, row, at) for group in GROUPS for row, points in group.rows.items() for at in points}
    rows |= {("start", "hello", 0)}
    quantities = [goal.quantity for goal in GOALS]
    for figure in FIGURES.values():
        if isinstance(figure, Bars):
            quantities += [quantity for _, quantity in figure.rows]
        else:
            assert any(row[:2] == (figure.group, figure.row) for row in rows), figure.title
    for quantity in quantities:
        assert (quantity.group, quantity.row, quantity.at) in rows, quantity


def test_goals_name_rivals_that_there_are() -> None:
    names = {rival.name for rival in RIVALS}
    for each in GOALS:
        assert set(each.rivals) <= names
        assert set((each.base or {}).values()) <= names
    assert BASE.name in names
