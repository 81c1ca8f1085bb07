"""What an administrator can set in the System Console."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """The plugin's settings; `plugin.json` has a setting with a default for each.

    Attributes:
        blocked: Extensions of files that are refused, separated by commas.
        block_programs: Whether programs are refused whatever their names.
    """

    blocked: str
    block_programs: bool

    @property
    def blocked_extensions(self) -> frozenset[str]:
        """The extensions in lower case, without a dot."""
        words = (word.strip().lstrip(".").lower() for word in self.blocked.split(","))
        return frozenset(word for word in words if word)
