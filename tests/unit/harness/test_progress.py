from __future__ import annotations

import io

from tests.harness import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_the_count_in_one_line() -> None:
    terminal = Terminal()
    progress = Progress(terminal)
    progress.step("Building")
    for done in (9, 10):
        progress.count("packages:", done, 10)
    progress.step("Built")

    assert terminal.getvalue() == "Building\n\r  packages: 9/10\r  packages: 10/10\nBuilt\n"


def test_a_log_is_not_flooded() -> None:
    stream = io.StringIO()
    progress = Progress(stream)
    progress.step("Building")
    for done in range(1000):
        progress.count("packages:", done, 1000)
    progress.step("Built")

    assert stream.getvalue() == "Building\nBuilt\n"
