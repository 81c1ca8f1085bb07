"""What somebody asks with `/poll`."""

from __future__ import annotations

import re
from dataclasses import dataclass

USAGE = 'Usage: `/poll "What shall we eat?" "Soup" "Salad"`'

MOST_ANSWERS = 10
LONGEST_QUESTION = 300
LONGEST_ANSWER = 60

# Keyboards of phones write these instead of straight quotes.
_CURVED_QUOTES = str.maketrans("“”„‟«»", '""""""')
_WORD = re.compile(r'"([^"]*)"|([^\s"]+)')


class Unclear(Exception):
    """A command cannot be understood; the text tells whoever typed it what to do."""


@dataclass(frozen=True)
class Question:
    """A question and the answers to choose from."""

    text: str
    answers: tuple[str, ...]


def parse(command: str) -> Question:
    """Return the question of a `/poll` command.

    Raises:
        Unclear: There is something to say about it.
    """
    _, _, rest = command.translate(_CURVED_QUOTES).partition(" ")
    if rest.count('"') % 2:
        raise Unclear(f"A quotation mark is missing. {USAGE}")
    words = [" ".join((quoted or plain).split()) for quoted, plain in _WORD.findall(rest)]
    if not words:
        raise Unclear(USAGE)
    text, *answers = words
    if not all(words):
        raise Unclear(f"The question or an answer is empty. {USAGE}")
    if len(answers) < 2:
        raise Unclear(f"A poll needs a question and at least two answers. {USAGE}")
    if len(answers) > MOST_ANSWERS:
        raise Unclear(f"A poll has at most {MOST_ANSWERS} answers, not {len(answers)}.")
    if len(text) > LONGEST_QUESTION:
        raise Unclear(f"The question has {len(text)} characters; at most {LONGEST_QUESTION} are possible.")
    for number, answer in enumerate(answers):
        if len(answer) > LONGEST_ANSWER:
            raise Unclear(f"“{answer[:20]}…” is too long: an answer has at most {LONGEST_ANSWER} characters.")
        if answer.casefold() in {other.casefold() for other in answers[:number]}:
            raise Unclear(f"The answer “{answer}” is there twice.")
    return Question(text, tuple(answers))
