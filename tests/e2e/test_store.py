"""The key-value store."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.e2e.witness import InstalledWitness
    from tests.harness import Json, RestClient

pytestmark = pytest.mark.e2e


def test_values_are_stored_listed_and_deleted(
    witness: InstalledWitness, alice: RestClient, channel: Json
) -> None:
    def run(scenario: str, *words: str) -> object:
        return witness.run(alice, channel, scenario, *words)

    run("kv_delete_all")
    assert run("kv_get", "one") is None
    run("kv_set", "one", "1")
    run("kv_set", "two", "zwei ✓")
    assert run("kv_get", "two") == "zwei ✓"
    assert run("kv_list") == ["one", "two"]
    run("kv_delete", "one")
    assert run("kv_get", "one") is None
    assert run("kv_list") == ["two"]
    assert run("kv_bytes") is True


def test_a_value_with_an_expiry_is_gone_after_it(
    witness: InstalledWitness, alice: RestClient, channel: Json
) -> None:
    witness.run(alice, channel, "kv_set_with_expiry", "brief", "here", "2")
    set_at = time.monotonic()
    assert witness.run(alice, channel, "kv_get", "brief") == "here"

    # The server announces no expiry; there is nothing to wait for but the time itself.
    while witness.run(alice, channel, "kv_get", "brief") is not None:
        assert time.monotonic() - set_at < 60, "the value did not expire"
        time.sleep(0.2)
    assert time.monotonic() - set_at > 0.9


def test_compare_and_set_changes_only_what_is_as_expected(
    witness: InstalledWitness, alice: RestClient, channel: Json
) -> None:
    def run(scenario: str, *words: str) -> object:
        return witness.run(alice, channel, scenario, *words)

    assert run("kv_compare_and_set", "key", "", "first") is True
    assert run("kv_compare_and_set", "key", "", "again") is False
    assert run("kv_compare_and_set", "key", "other", "second") is False
    assert run("kv_get", "key") == "first"
    assert run("kv_compare_and_set", "key", "first", "second") is True
    assert run("kv_set_atomic", "key", "first", "third") is False
    assert run("kv_set_atomic", "key", "second", "third") is True
    assert run("kv_get", "key") == "third"
    assert run("kv_compare_and_delete", "key", "second") is False
    assert run("kv_compare_and_delete", "key", "third") is True
    assert run("kv_get", "key") is None
