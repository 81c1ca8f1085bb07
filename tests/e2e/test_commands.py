"""Slash commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.harness import RestError

if TYPE_CHECKING:
    from tests.e2e.witness import InstalledWitness
    from tests.harness import Json, MattermostServer, RestClient

pytestmark = pytest.mark.e2e


def test_a_command_is_answered_to_the_one_who_typed_it(
    server: MattermostServer, witness: InstalledWitness, alice: RestClient, team: Json, channel: Json
) -> None:
    before = alice.posts(channel["id"])
    response = alice.run_command(channel["id"], "/witness who")

    assert response["response_type"] == "ephemeral"
    assert witness.run(alice, channel, "who") == {
        "user_id": alice.user_id,
        "channel_id": channel["id"],
        "team_id": team["id"],
        "command": "/witness who",
        "site_url": server.url,
        "server_version": "11.4.0",
        "username": "alice",
    }
    assert alice.posts(channel["id"]) == before


def test_a_command_is_suggested_with_its_subcommands(
    witness: InstalledWitness, alice: RestClient, team: Json, channel: Json
) -> None:
    def suggestions(typed: str) -> list[tuple[str, str]]:
        found = alice.get(
            f"teams/{team['id']}/commands/autocomplete_suggestions",
            user_input=typed,
            channel_id=channel["id"],
        )
        return [(suggestion["Complete"], suggestion["Description"]) for suggestion in found]

    assert ("witness", "Do something") in suggestions("/wit")
    assert suggestions("/witness ") == [("witness who", "Say who calls")]


def test_a_command_that_fails_shows_an_error_id_under_which_the_log_has_the_reason(
    witness: InstalledWitness, alice: RestClient, channel: Json
) -> None:
    with pytest.raises(RestError) as caught:
        alice.run_command(channel["id"], "/witness fail 'nothing to see'")

    assert caught.value.status == 500
    assert "nothing to see" not in f"{caught.value.message} {caught.value.detailed_error}"
    record = witness.wait_for_log("execute_command", level="error")
    assert record.fields["error_id"] in caught.value.message
    assert "RuntimeError: nothing to see" in f"{record.message}\n{record.fields}"


def test_a_command_is_gone_with_its_plugin(
    witness: InstalledWitness, alice: RestClient, channel: Json
) -> None:
    witness.disable()

    with pytest.raises(RestError) as caught:
        alice.run_command(channel["id"], "/witness who")

    assert caught.value.status == 404
