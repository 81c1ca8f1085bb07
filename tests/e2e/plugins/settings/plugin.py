"""A settings class with most of what an annotation can say."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from enum import Enum

from mattermost_plugin import Plugin

log = logging.getLogger("settings")


class Mode(Enum):
    MASK = "mask"
    REJECT = "reject"


@dataclass
class Rule:
    pattern: str
    severity: int = 1


@dataclass
class Settings:
    api_key: str = "unset"
    limit: int = 3
    enabled: bool = False
    mode: Mode = Mode.MASK
    rules: list[Rule] = field(default_factory=list)


class Watching(Plugin):
    """Logs its settings whenever they are read."""

    settings = Settings()

    def on_configuration_change(self) -> None:
        try:
            self.settings = self.load_configuration(Settings)
        finally:
            length = len(self.settings.api_key)
            log.info("Settings", extra={"settings": repr(self.settings), "length": length})


if __name__ == "__main__":
    Watching.run()
