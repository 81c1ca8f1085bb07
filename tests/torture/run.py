"""One run: load, faults, and the account of both."""

from __future__ import annotations

import statistics
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psutil

from tests.torture.faults import FAULTS
from tests.torture.ledger import Delivery, Ledger, read_deliveries
from tests.torture.load import Load

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.torture.scene import Scene, Target

__all__ = ["Account", "run"]

#: Seconds that the queues get to drain after the load.
DRAIN = 60.0


@dataclass
class Account:
    """What a run found.

    Attributes:
        ledger: Outcomes of the load.
        outages: Seconds without service, by fault.
        done: How often each fault was done.
        deliveries: What became of the notifications, by plugin.
        left: Processes, sockets and files that were there when the plugins had been disabled.
        seconds: How long the run took.
    """

    ledger: Ledger = field(default_factory=Ledger)
    outages: dict[str, list[float]] = field(default_factory=dict)
    done: dict[str, int] = field(default_factory=dict)
    deliveries: dict[str, Delivery] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def failures(self) -> list[str]:
        """Return what must not happen and did, a line each."""
        lines = [*self.ledger.wrong, *self.ledger.hung, *self.left]
        for name, delivery in self.deliveries.items():
            lines += [f"{name}: lost: {post}" for post in delivery.lost]
            lines += [f"{name}: delivered twice: {post}" for post in delivery.twice]
            lines += [f"{name}: out of order: {post}" for post in delivery.out_of_order]
        return lines

    def table(self) -> str:
        """Return the account as Markdown."""
        lines = [
            "| fault | times | without service, p50 | max |",
            "|---|---|---|---|",
        ]
        for name, times in self.done.items():
            seconds = self.outages.get(name, [])
            p50, longest = (
                (f"{statistics.median(seconds):.2f} s", f"{max(seconds):.2f} s") if seconds else ("", "")
            )
            lines.append(f"| {name} | {times} | {p50} | {longest} |")
        lines += [
            "",
            f"{self.ledger.posts()} posts accepted in {self.seconds:.0f} s.",
            "",
            "| plugin | delivered | missed in a fault | lost | twice | out of order |",
            "|---|---|---|---|---|---|",
        ]
        for name, found in self.deliveries.items():
            counts = (
                found.delivered,
                *map(len, (found.in_flight, found.lost, found.twice, found.out_of_order)),
            )
            lines.append(f"| {name} | {' | '.join(map(str, counts))} |")
        lines += ["", "| operation | outcome | times |", "|---|---|---|"]
        for (operation, outcome), count in sorted(self.ledger.counts.items()):
            lines.append(f"| {operation} | {outcome} | {count} |")
        wrong, hung, left = len(self.ledger.wrong), len(self.ledger.hung), len(self.left)
        lines += [
            "",
            f"Wrong or another's answer: {wrong}. Beyond the deadline: {hung}. Left behind: {left}.",
        ]
        return "\n".join(lines)


def run(scene: Scene, faults: Iterable[str], temporary: Path, *, pause: float = 1.0) -> Account:
    """Do faults one after the other under load, each to the next plugin.

    Args:
        scene: The server and the plugins.
        faults: Names of :data:`FAULTS`.
        temporary: The folder for temporary files of the server and all that it starts.
        pause: Seconds between two faults.
    """
    account, began = Account(), time.monotonic()
    before = _files(temporary)
    with Load(scene.server, scene.users, scene.channel, account.ledger):
        time.sleep(pause)
        for number, name in enumerate(faults):
            target = scene.targets[number % len(scene.targets)]
            seconds = FAULTS[name][0](scene, target)
            account.done[name] = account.done.get(name, 0) + 1
            if seconds is not None:
                account.outages.setdefault(name, []).append(seconds)
            if sys.stderr.isatty():
                sys.stderr.write(f"{time.monotonic() - began:6.0f} s  {name}, {target.name}: {seconds}\n")
            time.sleep(pause)
    drained = time.monotonic() + DRAIN
    for target in scene.targets:
        account.deliveries[target.name] = _drained(scene, target, account.ledger, drained)
    _pass_over_the_servers_order(account.deliveries)
    account.seconds = time.monotonic() - began
    for target in scene.targets:
        target.plugin.disable()
    account.left = [f"left behind: {name}" for name in _left(scene)]
    account.left += [f"left behind: {path}" for path in sorted(_files(temporary) - before)]
    return account


def _drained(scene: Scene, target: Target, ledger: Ledger, deadline: float) -> Delivery:
    """Wait until every notification is there, or the deadline is over."""
    while True:
        delivery = read_deliveries(scene.record(target), ledger.accepted, target.windows)
        if not delivery.lost or time.monotonic() > deadline:
            return delivery
        time.sleep(0.5)


def _pass_over_the_servers_order(deliveries: dict[str, Delivery]) -> None:
    """Drop what every plugin was told out of order: so the server began it."""
    common = set.intersection(*(set(delivery.out_of_order) for delivery in deliveries.values()))
    for delivery in deliveries.values():
        delivery.out_of_order[:] = [post for post in delivery.out_of_order if post not in common]


def _left(scene: Scene) -> list[str]:
    processes = [process for target in scene.targets for process in target.plugin.processes()]
    _, alive = psutil.wait_procs(processes, timeout=15)
    return [f"process {process.pid} {' '.join(process.cmdline())}" for process in alive]


def _files(temporary: Path) -> set[str]:
    return {str(path.relative_to(temporary)) for path in temporary.iterdir()}
