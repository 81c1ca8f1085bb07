from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.results import Quantity, Results

HOOK = Quantity("calls", "hook", 1, "us")


def two_rivals() -> Results:
    results = Results({"rounds": 3})
    for go, python in ((100.0, 50.0), (200.0, 110.0), (10.0, 4.0)):
        results.add("calls", "hook", 1, "Go", {"us": go})
        results.add("calls", "hook", 1, "Python", {"us": python, "p99 us": python * 2})
    return results


def test_the_median_of_the_rounds_counts() -> None:
    series = two_rivals().find(HOOK, "Go")
    assert series is not None
    assert series.values == [100, 200, 10]
    assert series.median == 100


def test_a_ratio_is_taken_within_each_round() -> None:
    results = two_rivals()
    series = results.find(HOOK, "Python")
    assert series is not None
    assert results.ratio(series, "Go") == 0.5  # of 0.5, 0.55 and 0.4; the medians' would be 0.5 too
    assert results.ratio(series, "Rust") is None


def test_a_base_of_nothing_has_no_ratio() -> None:
    results = Results({})
    results.add("calls", "hook", 1, "Go", {"us": 0.0})
    results.add("calls", "hook", 1, "Python", {"us": 1.0})
    series = results.find(HOOK, "Python")
    assert series is not None
    assert results.ratio(series, "Go") is None


def test_points_are_in_order() -> None:
    results = Results({})
    for at in (16, 1, 256, 64):
        results.add("calls", "hook", at, "Go", {"us": 1.0, "p99 us": 2.0})
    results.add("calls", "api", 7, "Go", {"us": 1.0})
    assert results.points("calls", "hook") == [1, 16, 64, 256]


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    results = two_rivals()
    results.write(tmp_path / "new" / "results.json")
    again = Results.read(tmp_path / "new" / "results.json")
    assert again.about == results.about
    assert again.series == results.series
    row = json.loads((tmp_path / "new" / "results.json").read_text())["series"][0]
    assert row["median"] == 100


@pytest.mark.parametrize("text", ["{}", "[]", '{"format": 1, "rows": []}'])
def test_a_file_of_another_format_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "old.json").write_text(text)
    with pytest.raises(ValueError, match="run make bench again"):
        Results.read(tmp_path / "old.json")


def one_run(minutes: float, **groups: float) -> Results:
    machine = {"processor": "one", "cores": 2, "python": "3.11", "go": "1.26", "packages": {}}
    results = Results({**machine, "rounds": 5, "date": "2026-11-23", "minutes": minutes})
    for group, value in groups.items():
        for rival in ("Go", "Python"):
            results.add(group, "row", 1, rival, {"us": value})
    return results


def test_a_later_run_replaces_whole_groups() -> None:
    results = one_run(20.0, calls=1.0, http=2.0)
    results.replace_groups(one_run(3.5, http=5.0))
    found = {(each.quantity.group, each.rival): each.values for each in results.series}
    assert found == {
        ("calls", "Go"): [1],
        ("calls", "Python"): [1],
        ("http", "Go"): [5],
        ("http", "Python"): [5],
    }
    assert results.about["minutes"] == 23.5


def test_runs_of_different_machines_are_not_put_together() -> None:
    later = one_run(1.0, http=1.0)
    later.about["cores"] = 64
    with pytest.raises(ValueError, match="the runs differ in cores: 2 and 64"):
        one_run(1.0, calls=1.0).replace_groups(later)
