from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import pytest

from benchmarks.report.charts import Bars, Lines
from benchmarks.report.numbers import amount, factor, size
from benchmarks.report.scales import Scale, ticks
from benchmarks.results import Quantity, Results
from benchmarks.rivals import BASE

SVG = "{http://www.w3.org/2000/svg}"


def test_equal_factors_are_equal_distances() -> None:
    scale = Scale(1, 100, 0, 200)
    assert scale(1) == 0
    assert math.isclose(scale(10), 100)
    assert scale(100) == 200
    assert scale(1000) == 200
    assert scale(0.1) == 0


@pytest.mark.parametrize(
    ("low", "high", "found"),
    [(3, 40, [1, 10, 100]), (10, 100, [10, 100]), (5, 5, [1, 10]), (10, 10, [10, 100])],
)
def test_ticks_enclose_what_is_shown(low: float, high: float, found: list[float]) -> None:
    assert ticks(low, high) == found


@pytest.mark.parametrize(
    ("value", "text"), [(12345.6, "12,346"), (99.94, "99.9"), (1.234, "1.23"), (0.05, "0.05")]
)
def test_amounts_have_three_digits(value: float, text: str) -> None:
    assert amount(value) == text


def test_sizes_and_factors_are_short() -> None:
    assert [size(count) for count in (100, 1_000, 10_000_000, 1_000_000_000)] == [
        "100 B",
        "1 kB",
        "10 MB",
        "1 GB",
    ]
    assert [factor(value) for value in (0.333, 1, 9.99, 12.4)] == ["x 0.33", "x 1.00", "x 9.99", "x 12"]


def bars(results: Results, unit: str) -> dict[str, tuple[float, float]]:
    """Return left end and width of each bar but the legend's, by color."""
    chart = Bars("Speed", (("a <hook>", Quantity("calls", "hook", 1, unit)),), ("Python sync", "grpcio sync"))
    drawing = ElementTree.fromstring(chart.draw(results))
    found = {}
    for bar in drawing.iter(f"{SVG}rect"):
        if bar.get("height") == "9" and bar.get("width") != "14":
            found[bar.get("fill", "")] = (float(bar.get("x", "")), float(bar.get("width", "")))
    assert "a <hook>" in [text.text for text in drawing.iter(f"{SVG}text")]
    return found


@pytest.mark.parametrize(("unit", "sync", "grpcio"), [("us", 50.0, 400.0), ("per second", 200.0, 25.0)])
def test_faster_is_to_the_right_of_the_go_plugin_whether_by_time_or_by_throughput(
    unit: str, sync: float, grpcio: float
) -> None:
    results = Results({})
    for rival, value in ((BASE.name, 100.0), ("Python sync", sync), ("grpcio sync", grpcio)):
        results.add("calls", "hook", 1, rival, {unit: value})
    found = bars(results, unit)
    (right, right_width), (left, left_width) = found["#1a73e8"], found["#d93025"]
    assert math.isclose(left + left_width, right, abs_tol=0.2)  # they meet at the line
    assert math.isclose(left_width, 2 * right_width, abs_tol=0.2)  # a quarter, and twice as fast


def test_what_grows_linearly_has_the_slope_of_the_line_for_comparison() -> None:
    results = Results({})
    for at in (1, 10, 100, 1000):
        results.add("lists", "list", at, BASE.name, {"us": at * 2.0})
    drawing = Lines("Posts", "lists", "list", "us", "posts", slope=True).draw(results)
    paths = [path.get("d", "") for path in ElementTree.fromstring(drawing).iter(f"{SVG}path")]
    dashed = re.search(r'<path d="([^"]*)"[^>]*stroke-dasharray="2 4"', drawing)
    assert dashed is not None

    def slope(path: str) -> float:
        points = [tuple(map(float, point.split())) for point in re.split("[ML]", path)[1:]]
        (x1, y1), (x2, y2) = points[0], points[-1]
        return (y2 - y1) / (x2 - x1)

    curve = next(path for path in paths if path.count("L") == 3)
    assert math.isclose(slope(curve), slope(dashed[1]), rel_tol=0.01)
    assert drawing.count("<circle") == 4


def test_there_is_no_chart_of_nothing() -> None:
    results = Results({})
    assert (
        Bars("Speed", (("hook", Quantity("calls", "hook", 1, "us")),), ("Python sync",)).draw(results) == ""
    )
    lines = Lines("Posts", "lists", "list", "us", "posts")
    assert lines.draw(results) == ""
    results.add("lists", "list", 1, BASE.name, {"us": 1.0})
    assert lines.draw(results) == ""  # one point is no line
