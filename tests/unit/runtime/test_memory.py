"""How often a plugin's process looks for garbage."""

from __future__ import annotations

import gc
import subprocess
import sys

import pytest

from mattermost_plugin import CommandArgs, Context
from tests.unit.runtime.host import active


def thresholds(before: str) -> str:
    """Run code and then what a plugin's process does when everything is loaded; return what is set then."""
    code = (
        f"import gc; {before}\n"
        "from mattermost_plugin._runtime.memory import settle\n"
        "settle()\n"
        "print(gc.get_freeze_count() > 1000, *gc.get_threshold()[:2])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_garbage_collector_looks_less_often_and_not_at_what_was_loaded() -> None:
    assert thresholds("pass") == "True 20000 10"


@pytest.mark.parametrize(
    ("setting", "stays"), [("500, 5", "500 5"), ("100_000, 10", "100000 10"), ("0, 10", "0 10")]
)
def test_what_an_author_has_set_stays(setting: str, stays: str) -> None:
    assert thresholds(f"gc.set_threshold({setting})") == f"True {stays}"


@pytest.mark.parametrize(("setting", "threshold"), [("", 20_000), ("collect_less_often = False", None)])
@pytest.mark.parametrize("kind", ["Plugin", "AsyncPlugin"])
def test_the_class_says_whether_the_garbage_collector_is_tuned(
    kind: str, setting: str, threshold: int | None
) -> None:
    code = f"""
    import gc
    from mattermost_plugin import {kind}, CommandResponse
    class P({kind}):
        {setting or "pass"}
        def execute_command(self, context, args):
            return CommandResponse(text=str(gc.get_threshold()[0]))
    if __name__ == "__main__": P.run()
    """
    with active(code) as host:
        found = host.hook("execute_command", Context(), CommandArgs()).text
        assert host.shutdown() == 0
    assert found == str(threshold or gc.get_threshold()[0])
