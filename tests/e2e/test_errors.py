"""Errors of the server as a plugin catches them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.e2e.witness import InstalledWitness
    from tests.harness import Json, RestClient

pytestmark = pytest.mark.e2e

NOBODY = "n" * 26


def test_an_app_error_is_caught_as_not_found_with_all_its_fields(
    witness: InstalledWitness, alice: RestClient, channel: Json
) -> None:
    error = witness.run(alice, channel, "missing_user", NOBODY)

    assert error == {
        "type": "NotFound",
        "id": "app.user.missing_account.const",
        "message": "Unable to find the user.",
        "detailed_error": "",
        "status_code": 404,
        "where": "GetUser",
        "params": {},
    }


def test_a_method_newer_than_the_server_raises_not_supported(
    witness: InstalledWitness, alice: RestClient, channel: Json
) -> None:
    text = witness.run(alice, channel, "too_new", channel["id"])

    assert "RestoreChannel" in text
    assert "11.10" in text
    # The plugin goes on.
    assert witness.run(alice, channel, "who")["username"] == "alice"
