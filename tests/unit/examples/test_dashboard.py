"""What the example `dashboard` remembers of what happened."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLE = Path(__file__).parents[3] / "examples" / "dashboard"
MODULES = [path.stem for path in EXAMPLE.glob("*.py")]
MINUTE = 60_000


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(str(EXAMPLE))
    for name in MODULES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield importlib.import_module("activity")
    for name in MODULES:
        sys.modules.pop(name, None)


def posts(module: Any, count: int, at: int) -> list[Any]:
    return [module.Event("post", at, "user", f"post-{n}", "", f"text {n}") for n in range(count)]


def counted(channel: Any) -> dict[int, list[int]]:
    return dict(channel.minutes())


def test_however_much_happens_the_newest_events_and_the_counts_are_kept(module: Any) -> None:
    channel, now = module.ChannelActivity(), module.now_ms()

    for event in posts(module, 1000, now):
        channel.record(event)

    assert [event.text for event in channel.events] == [f"text {n}" for n in range(980, 1000)]
    assert counted(channel) == {now // MINUTE: [1000, 0, 0, 0, 0, 0]}


def test_channels_in_which_nothing_happens_are_forgotten_first(module: Any) -> None:
    activity = module.Activity()
    busy = activity.of("busy")

    for number in range(3000):
        activity.of(f"channel-{number}")
        activity.of("busy")

    assert len(activity) == 2000
    assert activity.get("busy") is busy
    assert activity.get("channel-2999") is not None
    assert activity.get("channel-0") is None


def test_only_the_last_hour_counts(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    channel, begin = module.ChannelActivity(), module.now_ms()
    [first] = posts(module, 1, begin)
    channel.record(first)

    for minutes in (30, 59, 60, 61, 120):
        monkeypatch.setattr(module, "now_ms", lambda minutes=minutes: begin + minutes * MINUTE)
        channel.record(module.Event("join", begin + minutes * MINUTE, "user"))
        assert (begin // MINUTE in counted(channel)) == (minutes < 60)

    assert list(counted(channel)) == [begin // MINUTE + 61, begin // MINUTE + 120]


@pytest.mark.parametrize("years", [-1, 1])
def test_posts_with_times_of_their_own_do_no_harm(module: Any, years: int) -> None:
    channel, now = module.ChannelActivity(), module.now_ms()

    for event in posts(module, 100, now + years * 365 * 24 * 60 * MINUTE):
        channel.record(event)

    assert len(channel.events) == 20
    assert sum(counts[0] for counts in counted(channel).values()) == (100 if years > 0 else 0)


def test_deleting_a_post_takes_its_text_and_those_of_its_replies_back(module: Any) -> None:
    channel, now = module.ChannelActivity(), module.now_ms()
    for event in posts(module, 2, now):
        channel.record(event)
    channel.record(module.Event("post", now, "user", "reply", "post-0", "about text 0"))

    channel.record(module.Event("delete", now, "user", "post-0"))

    assert [event.text for event in channel.events] == ["", "text 1", "", ""]


def test_history_is_added_once_and_does_not_bring_back_what_was_deleted_or_edited(module: Any) -> None:
    channel, now = module.ChannelActivity(), module.now_ms()
    earlier = posts(module, 4, now - MINUTE)
    channel.record(module.Event("post", now, "user", "post-3", "", "text 3"))
    channel.record(module.Event("delete", now, "user", "post-0"))
    channel.record(module.Event("edit", now, "user", "post-1", "", "better"))

    channel.add_history(earlier)
    channel.record(earlier[2])

    assert [(event.kind, event.post_id, event.text) for event in channel.events] == [
        ("post", "post-0", ""),
        ("post", "post-1", "better"),
        ("post", "post-2", "text 2"),
        ("post", "post-3", "text 3"),
        ("delete", "post-0", ""),
        ("edit", "post-1", "better"),
    ]
    assert [sum(numbers) for numbers in zip(*counted(channel).values(), strict=True)][:3] == [4, 1, 1]
