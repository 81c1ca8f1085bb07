"""Hooks that are told what has happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.e2e.witness import InstalledWitness
    from tests.harness import Json, MattermostServer, RestClient

pytestmark = pytest.mark.e2e


def test_a_user_who_joins_a_channel_is_announced_with_who_added_them(
    server: MattermostServer, witness: InstalledWitness, team: Json, channel: Json
) -> None:
    carol = server.create_user("carol", team=team)
    dave = server.create_user("dave", team=team)
    members = f"channels/{channel['id']}/members"

    server.admin.post(members, {"user_id": carol.user_id})
    dave.post(members, {"user_id": dave.user_id})

    place = {"channel_id": channel["id"]}
    added = witness.wait_for_log("Joined", user_id=carol.user_id, **place)
    joined = witness.wait_for_log("Joined", user_id=dave.user_id, **place)
    assert added.fields["actor"] == "admin"
    assert joined.fields["actor"] in {"", "dave"}


def test_reactions_are_announced(
    witness: InstalledWitness, alice: RestClient, bob: RestClient, channel: Json
) -> None:
    post = alice.create_post(channel["id"], "react, please")
    bob.react(post["id"], "tada")
    witness.wait_for_log("Reaction added", post_id=post["id"], emoji="tada")

    bob.delete(f"users/{bob.user_id}/posts/{post['id']}/reactions/tada")
    witness.wait_for_log("Reaction removed", post_id=post["id"], emoji="tada")
