"""docs/benchmarks.md: the text of page.md, with what was measured in its places."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.report.figures import FIGURES
from benchmarks.report.numbers import size
from benchmarks.report.tables import Column, goals_table, table
from benchmarks.results import Quantity

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from benchmarks.results import Results

__all__ = ["page"]

_TEXT = Path(__file__).with_name("page.md")
_PLACE = re.compile(r"^\{(\w+)(?: ([\w-]+))?\}$", re.MULTILINE)


def page(results: Results, images: Collection[str], folder: str) -> str:
    """Return the page. Sections about what was not measured are left out.

    Args:
        results: What was measured.
        images: Names of the charts that were drawn.
        folder: Where they are, relative to the page.
    """
    filled = {"machine": _machine(results), "goals": goals_table(results), **_tables(results)}

    def content(place: re.Match[str]) -> str:
        what, name = place.groups()
        if what == "image":
            return f"![{FIGURES[name].title}]({folder}/{name}.svg)" if name in images else ""
        return filled[what]

    sections = []
    for section in re.split(r"^(?=## )", _TEXT.read_text(), flags=re.MULTILINE):
        places = list(_PLACE.finditer(section))
        if not places or any(content(place) for place in places):
            sections.append(_PLACE.sub(content, section))
    return re.sub(r"\n{3,}", "\n\n", "".join(sections)).rstrip() + "\n"


def _machine(results: Results) -> str:
    about = results.about
    core = {"compiled": "the compiled core", "sources": "no compiled core"}[about["core"]]
    packages = ", ".join(f"{name} {version}" for name, version in about["packages"].items())
    return (
        f"These figures: {about['date']}, {about['rounds']} rounds in {about['minutes']:g} minutes, "
        f"{about['processor']}, {about['cores']} cores, {about['memory_gib']} GiB, {about['system']}, "
        f"Go {about['go']}, Python {about['python']} with {core}, {packages}."
    )


def _tables(results: Results) -> dict[str, str]:
    """Return the tables by the name of their place."""

    def points(group: str, row: str, unit: str, label: Callable[[int], str]) -> list[Column]:
        found = results.points(group, row)
        return [Column(f"{label(at)}, {unit}", Quantity(group, row, at, unit)) for at in found]

    return {
        "hooks": table(results, _calls("hook", results.points("calls", "hook"))),
        "api": table(results, _calls("api", results.points("calls", "api"))),
        "processor": table(results, _PROCESSOR, ratios=False),
        "payload": table(results, points("payload", "payload", "us", size)),
        "lists": table(results, points("lists", "list", "us", "{:,} posts".format)),
        "http": table(results, _http(results)),
        "frameworks": table(results, _frameworks(results), ratios=False),
        "files": table(results, _files(results)),
        "sql": table(results, points("sql", "select", "us", "{:,} rows".format)),
        "start": table(results, _START),
        "plugins": table(results, _plugins(results), ratios=False),
    }


def _calls(row: str, callers: Sequence[int]) -> list[Column]:
    columns = []
    for count in callers:
        if count == 1:
            columns.append(Column("1 caller: p50, us", Quantity("calls", row, 1, "us")))
        else:
            columns.append(Column(f"{count}: per s", Quantity("calls", row, count, "per second")))
        columns.append(Column("p99, us", Quantity("calls", row, count, "p99 us")))
    return columns


_PROCESSOR = [
    Column(f"{name}: {side}, us", Quantity("calls", row, 16, f"{side} CPU us"))
    for row, name in (("hook", "hook"), ("api", "API call"))
    for side in ("host", "plugin")
]


def _http(results: Results) -> list[Column]:
    columns = [
        Column("GET, 1 caller, us", Quantity("http", "get", 1, "us")),
        Column("GET, 16 callers, per s", Quantity("http", "get", 16, "per second")),
    ]
    return columns + [
        Column(f"{row} of {size(at)}, MB/s", Quantity("http", row, at, "MB/s"))
        for row in ("download", "upload")
        for at in results.points("http", row)
    ]


def _frameworks(results: Results) -> list[Column]:
    units = (("us", "us"), ("per s", "per second"), ("plugin's CPU, us", "plugin CPU us"))
    return [
        Column(f"{at} caller{'s' if at > 1 else ''}: {head}", Quantity("frameworks", "get", at, unit))
        for at in results.points("frameworks", "get")
        for head, unit in units
    ]


def _files(results: Results) -> list[Column]:
    units = (("MB/s", "MB/s"), ("plugin's CPU, us per MB", "plugin CPU us per MB"))
    return [
        Column(f"{size(at)} {name}: {head}", Quantity("files", row, at, unit))
        for row, name in (("file", "read"), ("replace", "replaced"))
        for at in results.points("files", row)
        for head, unit in units
    ]


_START = [
    Column("activation, ms", Quantity("start", "activate", 0, "ms")),
    Column("memory, MiB", Quantity("start", "memory", 0, "MiB")),
    Column("of that Python, MiB", Quantity("start", "memory", 0, "MiB of Python")),
    Column("`hello` serves, ms", Quantity("start", "hello", 0, "ms to serve")),
    Column("`hello`, MiB", Quantity("start", "hello", 0, "MiB")),
    Column("import, ms", Quantity("start", "hello", 0, "ms to import")),
]


def _plugins(results: Results) -> list[Column]:
    points = results.points("plugins", "plugins")
    counts = [count for count in points if count in (1, 8, 32)] or points
    units = (
        ("MiB", "MiB, shared in parts"),
        ("start, ms", "ms to start"),
        ("a post, us", "us for a post through all"),
        ("idle, us per s", "idle CPU us per second"),
    )
    return [
        Column(f"{count}: {head}", Quantity("plugins", "plugins", count, unit))
        for head, unit in units
        for count in counts
    ]
