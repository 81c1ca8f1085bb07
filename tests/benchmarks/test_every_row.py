"""Every row of the benchmarks can be measured: each for a moment, on all rivals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.__main__ import main
from benchmarks.groups import GROUPS
from benchmarks.report.__main__ import main as report
from benchmarks.report.figures import FIGURES
from benchmarks.results import Results

if TYPE_CHECKING:
    from pathlib import Path

# It builds five programs, and starts every rival once for each group of rows.
pytestmark = pytest.mark.timeout(900)


def test_every_rival_is_measured_in_every_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "benchmark.json"
    main(["--quick", "--seconds", "0.02", "--output", str(output)])
    assert "goals reached" in capsys.readouterr().out
    results = Results.read(output)
    measured = {
        (each.quantity.group, each.quantity.row, each.quantity.at, each.rival) for each in results.series
    }
    wanted = {
        (group.name, row, at, rival.name)
        for group in GROUPS
        for rival in group.rivals
        for row, points in group.quick.items()
        for at in points
    }
    assert wanted <= measured
    # The ticks of processor time are longer than what is measured here.
    assert not [each for each in results.series if each.median <= 0 and "CPU" not in each.quantity.unit]

    report([str(output), "--docs", str(tmp_path)])
    assert {chart.stem for chart in (tmp_path / "benchmarks").iterdir()} == set(FIGURES)
