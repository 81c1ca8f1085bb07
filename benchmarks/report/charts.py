"""Two kinds of charts: bars that say how many times as fast as the Go plugin, and lines over a quantity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.report.numbers import factor
from benchmarks.report.scales import Scale, ticks
from benchmarks.report.svg import Drawing
from benchmarks.rivals import BASE, SOURCES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.results import Quantity, Results

__all__ = ["Bars", "Lines"]

WIDTH = 760

COLORS = {
    "Go, net/rpc": "#444444",
    "Go, gRPC": "#9aa0a6",
    "Python sync": "#1a73e8",
    "Python async": "#7cb5f5",
    "Python async, uvloop": "#188038",
    "Python sync, bridge": "#1a73e8",
    "Python async, uvloop, bridge": "#188038",
    "grpcio sync": "#d93025",
    "grpcio aio": "#f29900",
}
"""Rivals have the same color in every chart; through the bridge they are dashed, or pale."""

PALE = {"#1a73e8": "#a8c7fa", "#188038": "#a1d6ad"}


def color_of(rival: str, *, pale: bool = False) -> str:
    """Return the color of a rival."""
    color = COLORS.get(rival, "#888888")
    return PALE.get(color, color) if pale and rival.endswith("bridge") else color


@dataclass(frozen=True)
class Bars:
    """Speed relative to the Go plugin: to the right of its line is faster, to the left slower.

    Attributes:
        title: What it shows.
        rows: Name and quantity of each group of bars. Times are turned around: more is faster.
        rivals: Who is shown.
        low, high: Ends of the scale; what lies beyond is cut off there, and its number tells.
    """

    title: str
    rows: Sequence[tuple[str, Quantity]]
    rivals: Sequence[str]
    low: float = 1 / 16
    high: float = 16

    def draw(self, results: Results) -> str:
        """Return the chart as SVG; "" if nothing of it was measured."""
        groups = [(name, found) for name, quantity in self.rows if (found := self._bars(results, quantity))]
        if not groups:
            return ""
        shown = [rival for rival in self.rivals if any(rival in found for _, found in groups)]
        bar, gap, left = 11, 12, 180
        top = 84 + _legend_height(shown)
        height = top + sum(len(found) * bar + gap for _, found in groups) + 8
        drawing = Drawing(WIDTH, height, self.title)
        drawing.text(16, 24, self.title, size=15, bold=True)
        _legend(drawing, shown, pale=True)
        scale = Scale(self.low, self.high, left + 40, WIDTH - 50)
        drawing.text(scale(1) - 8, top - 24, "slower", anchor="end", size=11, color="#777")
        drawing.text(scale(1) + 8, top - 24, "faster", size=11, color="#777")
        power = self.low
        while power <= self.high:
            name = f"{power:g}x" if power >= 1 else f"1/{1 / power:g}"
            drawing.text(scale(power), top - 8, name, anchor="middle", size=11, color="#777")
            strong = power == 1
            color = "#444" if strong else "#e4e4e4"
            drawing.line(scale(power), top - 4, scale(power), height - 10, color=color)
            power *= 2
        y = top + 4.0
        for name, found in groups:
            drawing.text(left - 12, y + len(found) * bar / 2 + 4, name, anchor="end")
            for rival, ratio in found.items():
                x, one = scale(ratio), scale(1)
                drawing.bar(min(x, one), y, max(abs(x - one), 1), bar - 2, color_of(rival, pale=True))
                beside = (x + 4, "start") if ratio >= 1 else (x - 4, "end")
                drawing.text(beside[0], y + 8.5, factor(ratio)[2:], anchor=beside[1], size=9.5, color="#555")
                y += bar
            y += gap
        return str(drawing)

    def _bars(self, results: Results, quantity: Quantity) -> dict[str, float]:
        found = {}
        for rival in self.rivals:
            series = results.find(quantity, rival)
            ratio = results.ratio(series, BASE.name) if series is not None else None
            if ratio:
                found[rival] = 1 / ratio if quantity.unit in ("us", "ms") else ratio
        return found


@dataclass(frozen=True)
class Lines:
    """A quantity over another, both on logarithmic scales: what grows linearly has the slope one.

    Attributes:
        title: What it shows.
        group, row, unit: What goes up.
        across: What goes to the right.
        label: How a point of `across` is written.
        slope: Draw the slope of what grows linearly, for comparison.
    """

    title: str
    group: str
    row: str
    unit: str
    across: str
    label: Callable[[int], str] = str
    slope: bool = False

    def draw(self, results: Results) -> str:
        """Return the chart as SVG; "" if nothing of it was measured."""
        points = results.points(self.group, self.row)
        curves = self._curves(results)
        if len(points) < 2 or not curves:
            return ""
        values = [value for curve in curves.values() for _, value in curve]
        marks = ticks(min(values), max(values))
        top, left, right = 80 + _legend_height(list(curves)), 78, WIDTH - 30
        bottom = top + 250
        drawing = Drawing(WIDTH, bottom + 44, self.title)
        drawing.text(16, 24, self.title, size=15, bold=True)
        _legend(drawing, list(curves))
        across = Scale(points[0], points[-1], left + 14, right - 14)
        up = Scale(marks[0], marks[-1], bottom, top)
        for mark in marks:
            drawing.line(left, up(mark), right, up(mark))
            drawing.text(left - 8, up(mark) + 4, f"{mark:,g}", anchor="end", size=11, color="#777")
        for point in points:
            drawing.line(across(point), top, across(point), bottom)
            drawing.text(
                across(point), bottom + 16, self.label(point), anchor="middle", size=11, color="#777"
            )
        drawing.text((left + right) / 2, bottom + 34, self.across, anchor="middle", color="#555")
        drawing.text(left - 62, top - 14, self.unit, size=11, color="#555")
        if self.slope:
            self._draw_slope(drawing, across, up)
        for rival, curve in curves.items():
            dashes = "5 4" if rival.endswith("bridge") else ""
            drawing.curve(
                [(across(at), up(value)) for at, value in curve], color=color_of(rival), dashes=dashes
            )
        return str(drawing)

    def _curves(self, results: Results) -> dict[str, list[tuple[int, float]]]:
        curves: dict[str, list[tuple[int, float]]] = {}
        in_tables_only = {rival.name for rival in SOURCES}
        for series in results.series:
            quantity = series.quantity
            same = (quantity.group, quantity.row, quantity.unit) == (self.group, self.row, self.unit)
            if same and series.rival not in in_tables_only:
                curves.setdefault(series.rival, []).append((quantity.at, series.median))
        return {rival: sorted(curve) for rival, curve in curves.items()}

    def _draw_slope(self, drawing: Drawing, across: Scale, up: Scale) -> None:
        low = max(across.low, across.high * up.low / up.high)
        drawing.line(
            across(low), up(up.high * low / across.high), across.end, up.end, color="#aaa", dashes="2 4"
        )
        drawing.text(across.end - 6, up.end + 16, "linear", anchor="end", size=11, color="#888")


def _legend(drawing: Drawing, rivals: Sequence[str], *, pale: bool = False) -> None:
    for rival, x, y in _places(rivals):
        if rival.endswith("bridge") and not pale:
            drawing.line(x, y - 4, x + 14, y - 4, color=color_of(rival), width=3, dashes="4 3")
        else:
            drawing.bar(x, y - 9, 14, 9, color_of(rival, pale=pale))
        drawing.text(x + 18, y, rival, size=11)


def _legend_height(rivals: Sequence[str]) -> float:
    """Return by how much a legend is higher than one line."""
    return max(y for _, _, y in _places(rivals)) - 44


def _places(rivals: Sequence[str]) -> list[tuple[str, float, float]]:
    """Return where each name of a legend goes."""
    places, x, y = [], 16.0, 44.0
    for rival in rivals:
        width = 30 + 6.3 * len(rival)
        if x + width > WIDTH - 8:
            x, y = 16.0, y + 16
        places.append((rival, x, y))
        x += width
    return places
