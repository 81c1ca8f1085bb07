"""What is aimed at, and what was reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.results import Quantity
from benchmarks.rivals import BASE

if TYPE_CHECKING:
    from benchmarks.results import Results

__all__ = ["GOALS", "Goal", "Reached", "reached"]

SYNC, PLAIN, UVLOOP = "Python sync", "Python async", "Python async, uvloop"
NATIVE = (SYNC, PLAIN, UVLOOP)
BRIDGES = ("Python sync, bridge", "Python async, uvloop, bridge")
MB = 1_000_000


@dataclass(frozen=True)
class Goal:
    """A bound for one quantity of some rivals.

    Attributes:
        about: What it is.
        quantity: Of what.
        bound: For the ratio to the base, or for the median itself where there is none.
        rivals: Whose.
        base: By rival: what it is compared with; without an entry the Go plugin. None: nothing.
        least: The bound is a lower one.
        other_bounds: By rival: other bounds.
    """

    about: str
    quantity: Quantity
    bound: float
    rivals: tuple[str, ...]
    base: dict[str, str] | None
    least: bool = True
    other_bounds: dict[str, float] | None = None

    def bound_of(self, rival: str) -> float:
        """Return the bound for a rival."""
        return (self.other_bounds or {}).get(rival, self.bound)

    def met(self, rival: str, value: float) -> bool:
        """Whether a value is within the bound."""
        bound = self.bound_of(rival)
        return value >= bound if self.least else value <= bound


@dataclass(frozen=True)
class Reached:
    """What a rival reached of a goal."""

    goal: Goal
    rival: str
    value: float

    @property
    def met(self) -> bool:
        """Whether it is enough."""
        return self.goal.met(self.rival, self.value)


_GO: dict[str, str] = {}
_GRPCIO = {SYNC: "grpcio sync", UVLOOP: "grpcio aio"}


def _calls(row: str, name: str) -> tuple[Goal, ...]:
    time = Quantity("calls", row, 1, "us")
    few, many = (Quantity("calls", row, callers, "per second") for callers in (16, 64))
    plain = {PLAIN: 1.2}
    return (
        Goal(f"{name}, one caller: time", time, 1.0, NATIVE, _GO, least=False, other_bounds=plain),
        Goal(f"{name}, 16 callers: throughput", few, 1.0, NATIVE, _GO),
        Goal(f"{name}, 64 callers: throughput", many, 1.0, NATIVE, _GO),
        Goal(f"{name}, one caller, bridge: time", time, 2.0, BRIDGES, _GO, least=False),
        Goal(f"{name}, 16 callers, bridge: throughput", few, 0.7, BRIDGES, _GO),
        Goal(f"{name}, 64 callers, bridge: throughput", many, 0.7, BRIDGES, _GO),
        Goal(f"{name}, one caller, to grpcio: time", time, 1 / 3, tuple(_GRPCIO), _GRPCIO, least=False),
        Goal(f"{name}, 16 callers, to grpcio: throughput", few, 8.0, tuple(_GRPCIO), _GRPCIO),
    )


_GETS = Quantity("http", "get", 16, "per second")
_DOWNLOAD = Quantity("http", "download", 100 * MB, "MB/s")
_UPLOAD = Quantity("http", "upload", 100 * MB, "MB/s")
_FILE = Quantity("files", "file", 1000 * MB, "MB/s")
_ROWS = Quantity("sql", "select", 100_000, "rows per second")
_SERVING = Quantity("start", "hello", 0, "ms to serve")
_RESIDENT = Quantity("start", "hello", 0, "MiB")

GOALS = (
    *_calls("hook", "hook"),
    *_calls("api", "API call"),
    Goal("small GETs, 16 callers", _GETS, 2.0, NATIVE, _GO),
    Goal("100 MB download", _DOWNLOAD, 5.0, NATIVE, _GO),
    Goal("100 MB upload", _UPLOAD, 5.0, NATIVE, _GO),
    Goal("1 GB through the file hook", _FILE, 2.0, NATIVE, _GO),
    Goal("small GETs, 16 callers, bridge", _GETS, 0.8, BRIDGES, _GO),
    Goal("100 MB download, bridge", _DOWNLOAD, 1.5, BRIDGES, _GO),
    Goal("100 MB upload, bridge", _UPLOAD, 1.2, BRIDGES, _GO),
    Goal("1 GB through the file hook, bridge", _FILE, 1.0, BRIDGES, _GO),
    Goal("100,000 rows selected, bridge", _ROWS, 0.7, BRIDGES, _GO),
    Goal("from exec to serving, ms", _SERVING, 250, (SYNC,), None, least=False),
    Goal("resident after the start, MiB", _RESIDENT, 40, (SYNC,), None, least=False),
)


def reached(results: Results, goal: Goal) -> list[Reached]:
    """Return what was reached by those rivals of a goal that were measured."""
    found = []
    for rival in goal.rivals:
        series = results.find(goal.quantity, rival)
        if series is None:
            continue
        value: float | None = series.median
        if goal.base is not None:
            value = results.ratio(series, goal.base.get(rival, BASE.name))
        if value is not None:
            found.append(Reached(goal, rival, value))
    return found
