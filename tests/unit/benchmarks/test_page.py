from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.groups import GROUPS
from benchmarks.report.__main__ import main
from benchmarks.report.figures import FIGURES
from benchmarks.report.page import page
from benchmarks.report.tables import Column, table
from benchmarks.report.text import summary
from benchmarks.results import Quantity, Results
from benchmarks.rivals import BASE

ABOUT = {
    "date": "2026-01-02",
    "rounds": 5,
    "minutes": 12.5,
    "processor": "A processor",
    "cores": 2,
    "memory_gib": 8,
    "system": "Linux 6",
    "python": "3.11.0",
    "go": "1.26",
    "core": "compiled",
    "packages": {"protobuf": "7.0"},
}
UNITS = ("us", "p99 us", "per second", "host CPU us", "plugin CPU us", "MB/s", "plugin CPU us per MB", "ms")
START = {"ms to serve": 100.0, "MiB": 20.0, "ms to import": 30.0}
MANY = ("MiB, shared in parts", "ms to start", "us for a post through all", "idle CPU us per second")


def everything() -> Results:
    results = Results(ABOUT)
    for group in GROUPS:
        for number, rival in enumerate(group.rivals, 1):
            for row, points in group.rows.items():
                for at in points:
                    values = dict.fromkeys((*UNITS, *MANY, "MiB", "rows per second"), number * (at + 1.0))
                    results.add(group.name, row, at, rival.name, values)
    results.add("start", "hello", 0, "Python sync", START)
    results.add("start", "activate", 0, "Python sync", {"ms": 300.0})
    return results


def test_the_page_shows_all_that_was_measured() -> None:
    text = page(everything(), FIGURES, "charts")
    assert "{" not in text
    for name in FIGURES:
        assert f"](charts/{name}.svg)" in text
    for head in (
        "Hooks",
        "API calls",
        "Processor time",
        "HTTP",
        "Web frameworks",
        "Files",
        "SQL",
        "Many plugins",
    ):
        assert f"\n## {head}\n" in text
    assert "5 rounds in 12.5 minutes" in text
    assert "| Go, net/rpc |" in text
    assert "| FastAPI |" in text
    assert "(x 3.00)" in text
    # The line of a table that is narrower than its head would be broken.
    for block in text.split("\n\n"):
        lines = [line for line in block.splitlines() if line.startswith("|")]
        assert len({line.count("|") for line in lines}) <= 1, block


def test_what_was_not_measured_is_left_out() -> None:
    results = Results(ABOUT)
    results.add("calls", "hook", 1, BASE.name, {"us": 50.0})
    text = page(results, [], "charts")
    assert "\n## Hooks\n" in text
    assert "![" not in text
    for head in ("What is aimed at", "API calls", "HTTP", "SQL", "Many plugins"):
        assert f"## {head}" not in text
    assert "\n## How\n" in text


def test_a_table_has_a_dash_where_nothing_was_measured() -> None:
    results = Results(ABOUT)
    results.add("http", "get", 1, BASE.name, {"us": 700.0})
    results.add("http", "get", 1, "Python sync", {"us": 350.0})
    results.add("http", "get", 16, "Python sync", {"us": 1.5})
    columns = [
        Column("one", Quantity("http", "get", 1, "us")),
        Column("many", Quantity("http", "get", 16, "us")),
        Column("none", Quantity("http", "get", 64, "us")),
    ]
    assert table(results, columns).splitlines() == [
        "|  | one | many |",
        "| --- | ---: | ---: |",
        "| Go, net/rpc | 700 | - |",
        "| Python sync | 350 (x 0.50) | 1.50 |",
    ]
    assert table(results, columns[2:]) == ""


def test_the_summary_says_what_was_missed() -> None:
    results = Results(ABOUT)
    results.add("calls", "hook", 1, BASE.name, {"us": 50.0})
    results.add("calls", "hook", 1, "Python sync", {"us": 75.0})
    lines = summary(results).splitlines()
    assert lines[0] == "calls: hook 1, us"
    assert lines[2].split() == ["Python", "sync", "75.0", "x", "1.50"]
    assert lines[-2:] == [
        "0 of 1 goals reached",
        "  missed: hook, one caller: time: Python sync: 1.5, wanted at most 1",
    ]


def test_the_command_writes_page_and_charts_and_removes_charts_of_before(tmp_path: Path) -> None:
    everything().write(tmp_path / "results.json")
    (tmp_path / "docs" / "benchmarks").mkdir(parents=True)
    (tmp_path / "docs" / "benchmarks" / "old.svg").write_text("")
    main([str(tmp_path / "results.json"), "--docs", str(tmp_path / "docs")])
    assert (tmp_path / "docs" / "benchmarks.md").read_text().startswith("<!-- Written by")
    charts = list((tmp_path / "docs" / "benchmarks").iterdir())
    assert {chart.stem for chart in charts} == set(FIGURES)
    for chart in charts:
        ElementTree.fromstring(chart.read_text())


def test_the_command_says_what_is_wrong_with_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "results.json").write_text("{}")
    with pytest.raises(SystemExit):
        main([str(tmp_path / "results.json")])
    assert "run make bench again" in capsys.readouterr().err
