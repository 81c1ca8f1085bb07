"""Which charts there are."""

from __future__ import annotations

from benchmarks.report.charts import Bars, Lines
from benchmarks.report.numbers import size
from benchmarks.results import Quantity

__all__ = ["FIGURES"]

MB = 1_000_000

FIGURES: dict[str, Bars | Lines] = {
    "glance": Bars(
        "Speed, compared with a Go plugin over net/rpc",
        (
            ("hook, one caller", Quantity("calls", "hook", 1, "us")),
            ("hook, 16 callers", Quantity("calls", "hook", 16, "per second")),
            ("API call, one caller", Quantity("calls", "api", 1, "us")),
            ("API call, 16 callers", Quantity("calls", "api", 16, "per second")),
            ("small GETs, 16 callers", Quantity("http", "get", 16, "per second")),
            ("100 MB download", Quantity("http", "download", 100 * MB, "MB/s")),
            ("100 MB upload", Quantity("http", "upload", 100 * MB, "MB/s")),
            ("file hook, 1 GB read", Quantity("files", "file", 1000 * MB, "MB/s")),
            ("file hook, 250 MB replaced", Quantity("files", "replace", 250 * MB, "MB/s")),
            ("SQL, 100,000 rows", Quantity("sql", "select", 100_000, "rows per second")),
        ),
        (
            "Python sync",
            "Python async, uvloop",
            "Python sync, bridge",
            "Python async, uvloop, bridge",
            "grpcio aio",
        ),
    ),
    "hooks": Lines("Hooks per second", "calls", "hook", "per second", "concurrent callers"),
    "api": Lines("API calls per second", "calls", "api", "per second", "concurrent callers"),
    "payload": Lines(
        "A hook whose message grows",
        "payload",
        "payload",
        "us",
        "bytes of the message, each way",
        size,
        slope=True,
    ),
    "lists": Lines(
        "An API call that returns posts", "lists", "list", "us", "posts", "{:,}".format, slope=True
    ),
    "sql": Lines("A query", "sql", "select", "us", "rows", "{:,}".format, slope=True),
    "plugins": Lines(
        "Memory of many plugins on one host",
        "plugins",
        "plugins",
        "MiB, shared in parts",
        "plugins",
        slope=True,
    ),
    "plugins-post": Lines(
        "A post on its way through many plugins",
        "plugins",
        "plugins",
        "us for a post through all",
        "plugins",
        slope=True,
    ),
}
"""By the name of the file, without its ending."""
