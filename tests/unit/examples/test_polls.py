"""What the example `polls` understands, and how its polls look."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLE = Path(__file__).parents[3] / "examples" / "polls"
MODULES = [path.stem for path in EXAMPLE.glob("*.py")]


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Import modules of the example."""
    monkeypatch.syspath_prepend(str(EXAMPLE))
    for name in MODULES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield importlib.import_module
    for name in MODULES:
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("/poll Lunch? Soup Salad", ["Lunch?", "Soup", "Salad"]),
        ('/poll "What now?" "A b"  "c"', ["What now?", "A b", "c"]),
        ("/poll “What's up?” „nothing much“ don't", ["What's up?", "nothing much", "don't"]),
        ('/poll "spaces   and\n lines" "  a " b', ["spaces and lines", "a", "b"]),
        ('/poll "no"space"between" x', ["no", "space", "between", "x"]),
    ],
)
def test_a_command_is_a_question_and_its_answers(example: Any, command: str, words: list[str]) -> None:
    question = example("question").parse(command)
    assert [question.text, *question.answers] == words


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("/poll", "Usage"),
        ('/poll "a" "b', "quotation mark"),
        ("/poll a b", "at least two"),
        ('/poll a "" b', "empty"),
        ("/poll a Yes yes", "twice"),
        ("/poll a 1 2 3 4 5 6 7 8 9 10 11", "at most 10"),
    ],
)
def test_what_cannot_be_understood_is_told(example: Any, command: str, why: str) -> None:
    question = example("question")
    with pytest.raises(question.Unclear, match=why):
        question.parse(command)


def state(example: Any, *votes: int, ended: bool = False) -> Any:
    store = example("store")
    counts = tuple(
        store.Count(position, f"answer {position}", number) for position, number in enumerate(votes)
    )
    return store.State(7, "creator", "channel", "post", "Question?", ended, counts)


def test_a_poll_shows_its_votes_and_has_buttons(example: Any) -> None:
    shown = example("board").attachment(state(example, 3, 1, 0), "com.example.polls", "alice")

    assert shown.title == shown.fallback == "Question?"
    assert shown.text.splitlines() == [
        "answer 0: 3 votes",
        "`███████████████·····` 75%",
        "answer 1: 1 vote",
        "`█████···············` 25%",
        "answer 2: 0 votes",
        "`····················` 0%",
    ]
    assert shown.footer == "Asked by @alice. 4 people have voted."
    assert [(button.id, button.name, button.integration.url) for button in shown.actions] == [
        ("vote0", "answer 0", "/plugins/com.example.polls/polls/7/votes/0"),
        ("vote1", "answer 1", "/plugins/com.example.polls/polls/7/votes/1"),
        ("vote2", "answer 2", "/plugins/com.example.polls/polls/7/votes/2"),
        ("end", "End the poll", "/plugins/com.example.polls/polls/7/end"),
    ]


@pytest.mark.parametrize(
    ("votes", "bold", "footer"),
    [
        ((2, 5, 5), [1, 2], "12 people have voted"),
        ((1, 0), [0], "1 person has voted"),
        ((0, 0), [], "Nobody has voted"),
    ],
)
def test_a_poll_that_has_ended_shows_what_won(
    example: Any, votes: tuple[int, ...], bold: list[int], footer: str
) -> None:
    shown = example("board").attachment(state(example, *votes, ended=True), "p", "alice")

    lines = shown.text.splitlines()[::2]
    assert [number for number, line in enumerate(lines) if line.startswith("**answer")] == bold
    assert shown.footer == f"Asked by @alice. {footer}, and the poll has ended."
    assert shown.actions == []
