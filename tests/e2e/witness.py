"""The plugin `plugins/witness` as the tests speak to it."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

from tests.harness import InstalledPlugin

if TYPE_CHECKING:
    from tests.harness import Json, RestClient

__all__ = ["InstalledWitness"]


class InstalledWitness(InstalledPlugin):
    """Runs scenarios inside the plugin by its slash command."""

    def run(self, user: RestClient, channel: Json, scenario: str, *words: str) -> Any:
        """Let `user` run a scenario in `channel` and return its result."""
        command = shlex.join(["/witness", scenario, *words])
        return json.loads(user.run_command(channel["id"], command)["text"])
