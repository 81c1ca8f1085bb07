"""What an administrator can set in the System Console."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Settings:
    """The plugin's settings; `plugin.json` has a setting with a default for each.

    Attributes:
        words: Unwanted words, separated by commas.
        action: What happens to a post with one of them.
        notify: Whether its author gets a message.
    """

    words: str
    action: Literal["reject", "mask"]
    notify: bool

    @property
    def word_list(self) -> list[str]:
        """The unwanted words."""
        return [word.strip() for word in self.words.split(",") if word.strip()]
