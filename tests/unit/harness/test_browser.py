from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.harness import BrowserError, browser, find_browser

if TYPE_CHECKING:
    from pathlib import Path


def test_a_browser_that_is_named_has_to_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MATTERMOST_PLUGIN_BROWSER", str(tmp_path / "nothing"))

    with pytest.raises(BrowserError, match=r"nothing, which MATTERMOST_PLUGIN_BROWSER names, does not run"):
        find_browser()


def test_a_machine_without_browser_and_without_debians_packages_is_told_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("MATTERMOST_PLUGIN_BROWSER", raising=False)
    monkeypatch.setattr(browser, "COMMANDS", ("chromium",))
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(BrowserError, match=r"no apt-get .* install Chromium or Google Chrome"):
        find_browser()


def test_the_browser_on_path_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MATTERMOST_PLUGIN_BROWSER", raising=False)
    broken, working = tmp_path / "chromium", tmp_path / "google-chrome"
    broken.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    working.write_text("#!/bin/sh\necho Chromium 1\n", encoding="utf-8")
    for program in (broken, working):
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    found = find_browser()

    assert (found.executable, found.version()) == (working, "Chromium 1")
