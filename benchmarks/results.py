"""What was measured: the JSON that a run writes and reports read."""

from __future__ import annotations

import json
import statistics
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["FORMAT", "Quantity", "Results", "Series"]

FORMAT = 2


@dataclass(frozen=True)
class Quantity:
    """What is measured of every rival.

    Attributes:
        group: The group of rows.
        row: The row of the load program.
        at: At what: callers, bytes, posts, database rows, plugins.
        unit: Such as "us" or "MB/s".
    """

    group: str
    row: str
    at: int
    unit: str


@dataclass
class Series:
    """A quantity of one rival, once per round."""

    quantity: Quantity
    rival: str
    values: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.values)


class Results:
    """All that one run has measured.

    Args:
        about: The machine and the run, by key; written and shown as it is.
        series: What was measured.
    """

    def __init__(self, about: dict[str, Any], series: Iterable[Series] = ()) -> None:
        self.about = about
        self._series = {(each.quantity, each.rival): each for each in series}

    @property
    def series(self) -> list[Series]:
        """Everything, in the order in which it was measured first."""
        return list(self._series.values())

    def add(self, group: str, row: str, at: int, rival: str, values: dict[str, float]) -> None:
        """Add a row of one round: values by unit."""
        for unit, value in values.items():
            new = Series(Quantity(group, row, at, unit), rival)
            self._series.setdefault((new.quantity, rival), new).values.append(value)

    def replace_groups(self, later: Results) -> None:
        """Take the groups that a later run has measured from it: rivals of a group stay from one run.

        Raises:
            ValueError: The runs were on different machines or by different versions of what is measured.
        """
        for key in ("processor", "cores", "python", "go", "packages"):
            if self.about[key] != later.about[key]:
                raise ValueError(f"the runs differ in {key}: {self.about[key]} and {later.about[key]}")
        measured = {each.quantity.group for each in later.series}
        kept = [each for each in self.series if each.quantity.group not in measured]
        self._series = {(each.quantity, each.rival): each for each in (*kept, *later.series)}
        self.about |= {"minutes": round(self.about["minutes"] + later.about["minutes"], 1)}
        self.about |= {
            "rounds": min(self.about["rounds"], later.about["rounds"]),
            "date": later.about["date"],
        }

    def find(self, quantity: Quantity, rival: str) -> Series | None:
        """Return a series; None: it was not measured."""
        return self._series.get((quantity, rival))

    def points(self, group: str, row: str) -> list[int]:
        """Return where a row was measured, in order."""
        quantities = (each.quantity for each in self.series)
        return sorted({each.at for each in quantities if (each.group, each.row) == (group, row)})

    def ratio(self, series: Series, base: str) -> float | None:
        """Return the median ratio to another rival, round by round; None: that was not measured.

        Two measurements of one round are minutes apart at most, so that a change of the machine's speed meets
        both.
        """
        other = self.find(series.quantity, base)
        if other is None:
            return None
        pairs = [(mine, its) for mine, its in zip(series.values, other.values, strict=False) if its]
        return statistics.median(mine / its for mine, its in pairs) if pairs else None

    def write(self, path: Path) -> None:
        """Write everything as JSON, with medians for those who read it without this program."""
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = [
            asdict(each.quantity) | {"rival": each.rival, "median": each.median, "values": each.values}
            for each in self.series
        ]
        # A line per series: it is read by people, and compared.
        lines = ",\n  ".join(json.dumps(row) for row in rows)
        about = json.dumps(self.about, indent=1)
        path.write_text(f'{{\n "format": {FORMAT},\n "about": {about},\n "series": [\n  {lines}\n ]\n}}\n')

    @classmethod
    def read(cls, path: Path) -> Results:
        """Read what `write` wrote.

        Raises:
            ValueError: The file is none of this format.
        """
        data = json.loads(path.read_text())
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            raise ValueError(f"{path} is no result of this version of the benchmarks; run make bench again")
        series = [
            Series(Quantity(row["group"], row["row"], row["at"], row["unit"]), row["rival"], row["values"])
            for row in data["series"]
        ]
        return cls(data["about"], series)
