"""Finds and masks words in a text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class WordFilter:
    """Recognises whole words, whatever their case.

    Args:
        words: The words to recognise; with none, nothing matches.
    """

    def __init__(self, words: Iterable[str]) -> None:
        alternatives = "|".join(re.escape(word) for word in sorted(words))
        # \b would not do: a word may begin or end with a character that is none of \w, such as "c++".
        self._pattern = (
            re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)", re.IGNORECASE) if alternatives else None
        )

    def find(self, text: str) -> list[str]:
        """Return the unwanted words in `text`, each once, in lower case and in their order."""
        if self._pattern is None:
            return []
        return list(dict.fromkeys(match.lower() for match in self._pattern.findall(text)))

    def mask(self, text: str) -> str:
        """Return `text` with an asterisk for each letter of an unwanted word."""
        if self._pattern is None:
            return text
        # Escaped, so that a row of asterisks is not taken for bold type.
        return self._pattern.sub(lambda match: r"\*" * len(match.group()), text)
