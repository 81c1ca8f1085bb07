"""What a plugin writes, in the server's log."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.e2e.witness import InstalledWitness
    from tests.harness import Json, RestClient

pytestmark = pytest.mark.e2e


def test_log_records_keep_their_level_and_fields(
    witness: InstalledWitness, alice: RestClient, channel: Json
) -> None:
    witness.run(alice, channel, "write_log", "marker-7")

    debug = witness.wait_for_log("marker-7 debug", level="debug")
    assert (debug.fields["count"], debug.fields["logger"]) == ("3", "witness.scenarios")
    info = witness.wait_for_log("marker-7 info", level="info", count="3")
    assert "ann" in info.fields["user"]
    witness.wait_for_log("marker-7 warning", level="warn")
    witness.wait_for_log("marker-7 error", level="error")


def test_an_exception_is_logged_with_its_traceback(
    witness: InstalledWitness, alice: RestClient, channel: Json
) -> None:
    witness.run(alice, channel, "write_log", "marker-8")

    record = witness.wait_for_log("marker-8 exception", level="error")
    traceback = f"{record.message}\n{record.fields}"
    assert "scenarios.py" in traceback
    assert "ValueError: invalid literal for int()" in traceback


def test_print_is_an_info_line(witness: InstalledWitness, alice: RestClient, channel: Json) -> None:
    witness.run(alice, channel, "write_log", "marker-9")

    witness.wait_for_log("marker-9 printed", level="info")
