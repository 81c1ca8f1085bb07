"""Bots and what they write."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.e2e.witness import InstalledWitness
    from tests.harness import Json, MattermostServer, RestClient

pytestmark = pytest.mark.e2e


def test_a_bot_writes_a_direct_message(
    server: MattermostServer, witness: InstalledWitness, alice: RestClient, channel: Json
) -> None:
    sent = witness.run(alice, channel, "direct_message", "psst")

    bot = server.admin.get(f"bots/{sent['bot_id']}")
    assert (bot["username"], bot["display_name"], bot["owner_id"]) == ("witness-bot", "Witness", witness.id)
    [post] = alice.posts(alice.direct_channel(sent["bot_id"])["id"])
    assert (post["id"], post["user_id"], post["message"]) == (sent["post_id"], sent["bot_id"], "psst")


def test_a_bot_is_ensured_only_once(witness: InstalledWitness, alice: RestClient, channel: Json) -> None:
    first = witness.run(alice, channel, "direct_message", "one")
    second = witness.run(alice, channel, "direct_message", "two")

    assert first["bot_id"] == second["bot_id"]
