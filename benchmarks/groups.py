"""What is measured: groups of rows, and how often."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.rivals import BASE, FRAMEWORKS, RIVALS, SOURCES, Rival

__all__ = ["GROUPS", "Group"]

MB = 1_000_000


@dataclass(frozen=True)
class Group:
    """Rows that are measured in one run of the load program.

    Attributes:
        name: How `--only` selects it.
        about: What it is, for the help.
        rows: The points at which each row is measured: callers, bytes, posts, database rows, plugins.
        quick: The same for `--quick`.
        rivals: Who is measured.
        serving: The plugins' modules that serve HTTP are measured.
        database: Needs a PostgreSQL.
        most_rounds: More rounds would tell nothing new.
    """

    name: str
    about: str
    rows: dict[str, tuple[int, ...]]
    quick: dict[str, tuple[int, ...]]
    rivals: tuple[Rival, ...] = RIVALS
    serving: bool = False
    database: bool = False
    most_rounds: int = 1000


def _who_has(what: str) -> tuple[Rival, ...]:
    return tuple(rival for rival in RIVALS if what in rival.has)


_MANY = tuple(
    rival for rival in RIVALS if rival.name in (BASE.name, "Go, gRPC", "Python sync", "Python sync, bridge")
)

GROUPS = (
    Group(
        "calls",
        "hooks and API calls, 1 to 256 callers",
        {"hook": (1, 16, 64, 256), "api": (1, 16, 64, 256)},
        {"hook": (1, 16), "api": (1, 16)},
        (*RIVALS, *SOURCES),
    ),
    Group(
        "payload",
        "a hook with messages of 100 B to 10 MB",
        {"payload": (100, 1_000, 10_000, 100_000, MB, 10 * MB)},
        {"payload": (100, MB)},
    ),
    Group(
        "lists",
        "an API call that returns 1 to 10,000 posts",
        {"list": (1, 10, 100, 1_000, 10_000)},
        {"list": (1, 100)},
    ),
    Group(
        "http",
        "small GETs, 100 MB down and up",
        {"get": (1, 16), "download": (100 * MB,), "upload": (100 * MB,)},
        {"get": (1, 16), "download": (10 * MB,), "upload": (10 * MB,)},
        _who_has("http"),
        serving=True,
    ),
    Group(
        "files",
        "FileWillBeUploaded with 1 GB to read, 250 MB to replace",
        {"file": (1_000 * MB,), "replace": (250 * MB,)},
        {"file": (50 * MB,), "replace": (20 * MB,)},
    ),
    Group(
        "sql",
        "a query for 1 to 100,000 rows",
        {"select": (1, 100, 10_000, 100_000)},
        {"select": (1, 1_000)},
        _who_has("sql"),
        database=True,
    ),
    Group(
        "frameworks",
        "small GETs by several web frameworks",
        {"get": (1, 16)},
        {"get": (16,)},
        FRAMEWORKS,
    ),
    Group(
        "start",
        "import, start and memory of the smallest plugin",
        {"memory": (0,)},
        {"memory": (0,)},
    ),
    Group(
        "plugins",
        "1 to 32 plugins beside each other",
        {"plugins": (1, 2, 4, 8, 16, 32)},
        {"plugins": (1, 2)},
        _MANY,
        most_rounds=2,
    ),
)
