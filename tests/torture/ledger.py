"""What was asked of the plugins and what came of it, counted."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Accepted", "Delivery", "Ledger", "Window", "read_deliveries"]


@dataclass
class Ledger:
    """Counts of one plugin's load; its methods are safe to call from many threads.

    Attributes:
        counts: How often each outcome came, by operation and outcome.
        wrong: Responses that belong to another request, in words.
        hung: Operations that took longer than their deadline, in words.
        accepted: The posts that the server accepted, by user, in the user's order.
    """

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    hung: list[str] = field(default_factory=list)
    accepted: dict[str, list[Accepted]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, operation: str, outcome: str) -> None:
        """Count an outcome of an operation."""
        with self._lock:
            self.counts[operation, outcome] += 1

    def accept(self, user: str, post: Accepted) -> None:
        """Note that the server accepted a post."""
        with self._lock:
            self.accepted.setdefault(user, []).append(post)

    def expect(self, operation: str, expected: object, got: object) -> None:
        """Compare a response with what the request asked for."""
        if got == expected:
            self.count(operation, "answered")
        else:
            with self._lock:
                self.wrong.append(f"{operation}: {got!r} instead of {expected!r}")

    def took(self, operation: str, seconds: float, limit: float) -> None:
        """Note how long an operation took, whatever came of it."""
        if seconds > limit:
            with self._lock:
                self.hung.append(f"{operation}: {seconds:.1f} s, {limit:g} s allowed")

    def posts(self) -> int:
        """Return the number of accepted posts."""
        with self._lock:
            return sum(map(len, self.accepted.values()))


class Accepted(NamedTuple):
    """A post that the server accepted.

    Attributes:
        number: Its number among the posts of its user.
        began: When the request was sent, by `time.monotonic()`.
        ended: When the response was there.
    """

    number: int
    began: float
    ended: float


class Window(NamedTuple):
    """A time in which a plugin may miss notifications: what is in flight at a death is not sent again.

    Attributes:
        begin: By `time.monotonic()`.
        end: Later than `begin`.
    """

    begin: float
    end: float


@dataclass(frozen=True)
class Delivery:
    """What became of a plugin's notifications.

    Attributes:
        delivered: Posts of which it was told.
        in_flight: Posts of which it was never told, and whose notification was in flight at a fault.
        lost: All others of which it was never told.
        twice: Posts of which it was told more than once.
        out_of_order: Posts of which it was told after a later one of the same user, unless every plugin was:
            the server begins a notification on a goroutine, and calls the plugins one after the other.
    """

    delivered: int
    in_flight: list[str]
    lost: list[str]
    twice: list[str]
    out_of_order: list[str]


def read_deliveries(record: Path, accepted: dict[str, list[Accepted]], windows: list[Window]) -> Delivery:
    """Compare what a plugin wrote down with what the server accepted.

    Args:
        record: The file of the plugin: a line "user number" for each notification.
        accepted: The accepted posts.
        windows: When the plugin's process was made to die.
    """
    told: dict[str, list[int]] = {}
    for line in record.read_text().splitlines() if record.exists() else ():
        user, number = line.split()
        told.setdefault(user, []).append(int(number))
    result = Delivery(sum(len(set(numbers)) for numbers in told.values()), [], [], [], [])
    for user, posts in accepted.items():
        times = Counter(told.get(user, ()))
        for post in posts:
            if not times[post.number]:
                missed = any(post.began <= window.end and window.begin <= post.ended for window in windows)
                (result.in_flight if missed else result.lost).append(f"{user} {post.number}")
        result.twice.extend(f"{user} {number}" for number, count in times.items() if count > 1)
        latest = 0
        for told_number in told.get(user, ()):
            if told_number < latest:
                result.out_of_order.append(f"{user} {told_number}")
            latest = max(latest, told_number)
    return result
