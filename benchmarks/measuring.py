"""Measures: every rival in turn, several rounds over."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from benchmarks.rivals import BASE
from benchmarks.start import HELLO, measure_import, measure_start

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.groups import Group
    from benchmarks.results import Results
    from benchmarks.rivals import Rival
    from benchmarks.workshop import Workshop

__all__ = ["Measuring", "MeasuringError"]


class MeasuringError(Exception):
    """A rival could not be measured; the message has what it said."""


class Measuring:
    """Runs the load program.

    Args:
        workshop: Where the programs and bundles are.
        results: Where what is measured goes.
        seconds: How long to measure what is measured by time.
        database: The address of a PostgreSQL, for groups that need one.
        quick: Measure fewer points, and less.
        say: Hears what is being measured.
    """

    def __init__(
        self,
        workshop: Workshop,
        results: Results,
        *,
        seconds: float,
        database: str = "",
        quick: bool = False,
        say: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self._workshop = workshop
        self._results = results
        self._seconds = seconds
        self._database = database
        self._quick = quick
        self._say = say

    def measure(self, groups: Sequence[Group], rounds: int) -> None:
        """Measure groups.

        Within a round the rivals follow each other at once, so that a change of the machine's speed meets all
        of them.

        Raises:
            MeasuringError: A rival could not be measured.
        """
        for number in range(rounds):
            for group in groups:
                if number >= group.most_rounds:
                    continue
                begin = time.monotonic()
                for rival in group.rivals:
                    self._measure_rival(group, rival)
                if group.name == "start":
                    self._measure_start()
                took = time.monotonic() - begin
                self._say(f"round {number + 1} of {rounds}: {group.name} took {took:.0f} s")

    def _measure_rival(self, group: Group, rival: Rival) -> None:
        rows = group.quick if self._quick else group.rows
        count = max(rows.get("plugins", (1,)))
        bundles = self._workshop.bundles(rival, serving=group.serving, count=count)
        command = [str(self._workshop.load), "-mode", rival.mode, "-bundles", str(bundles)]
        command += ["-duration", f"{self._seconds}s"]
        if group.database:
            command += ["-database", self._database]
        command += [f"{row}={','.join(map(str, points))}" for row, points in rows.items()]
        for row in self._run(command, group, rival):
            # Every run starts a plugin; in one group that is what is measured.
            if row["row"] != "activate" or group.name == "start":
                self._results.add(group.name, row["row"], row["at"], rival.name, row["values"])

    def _run(self, command: list[str], group: Group, rival: Rival) -> list[dict[str, Any]]:
        done = subprocess.run(
            command,
            env=self._workshop.environment(sources=rival.sources),
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise MeasuringError(f"{rival.name}, {group.name}: {' '.join(command)} failed\n{done.stderr}")
        rows: list[dict[str, Any]] = json.loads(done.stdout)
        return rows

    def _measure_start(self) -> None:
        environment = self._workshop.environment()
        go_plugin = self._workshop.bundles(BASE) / f"benchmark.{BASE.slug}-00" / "server" / "executable"
        for name, program in ((BASE.name, [str(go_plugin)]), ("Python sync", HELLO)):
            took, resident = measure_start(program, environment)
            values = {"ms to serve": took, "MiB": resident}
            if program is HELLO:
                values["ms to import"] = measure_import(environment)
            self._results.add("start", "hello", 0, name, values)


def say(line: str) -> None:
    """Tell whoever waits for the end what is being done."""
    print(line, file=sys.stderr, flush=True)
