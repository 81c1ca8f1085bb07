"""Files on their way through a plugin and its API, on a real server."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shlex
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.conftest import PLUGINS, ROOT, running
from tests.e2e.serving.resources import Resources
from tests.harness import InstalledPlugin, RestError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.conftest import BuildBundle
    from tests.harness import Json, MattermostServer, RestClient

pytestmark = pytest.mark.e2e

TEXT = b"some text \xc3\xa4\n" * 100_000


@pytest.fixture(scope="module")
def uploaded(server: MattermostServer, bundle: BuildBundle) -> dict[str, InstalledPlugin]:
    names = ("files", "files_async")
    return {name: InstalledPlugin(server, bundle(PLUGINS / name)) for name in names}


@pytest.fixture(params=["files", "files_async"])
def plugin(request: pytest.FixtureRequest, uploaded: dict[str, InstalledPlugin]) -> Iterator[InstalledPlugin]:
    with running(uploaded[request.param]):
        yield uploaded[request.param]


@pytest.fixture
def files(uploaded: dict[str, InstalledPlugin]) -> Iterator[InstalledPlugin]:
    with running(uploaded["files"]):
        yield uploaded["files"]


def stored(server: MattermostServer, name: str) -> list[str]:
    """Return the files of the server whose names begin so, half-written ones among them."""
    return [path.name for path in (server.directory / "files").rglob(f"{name}*") if path.is_file()]


def run(user: RestClient, channel: Json, transfer: str, *words: str) -> Any:
    command = shlex.join(["/files", transfer, *words])
    return json.loads(user.run_command(channel["id"], command)["text"])


def test_a_file_is_replaced_by_what_the_plugin_writes(
    server: MattermostServer, plugin: InstalledPlugin, alice: RestClient, channel: Json
) -> None:
    info = alice.upload_file(channel["id"], "upper-case.txt", TEXT)

    assert info["name"] == "UPPER-CASE.TXT"
    assert info["size"] == len(TEXT)
    assert alice.file_content(info["id"]) == TEXT.upper()
    assert stored(server, "upper-case.txt.tmp") == []


def test_a_large_file_is_the_same_after_it_went_through(
    plugin: InstalledPlugin, alice: RestClient, channel: Json
) -> None:
    content = os.urandom(24 << 20)
    info = alice.upload_file(channel["id"], "copy-large.bin", content)

    assert info["size"] == len(content)
    assert alice.file_content(info["id"]) == content


@pytest.mark.parametrize("name", ["read-all.txt", "ignore.txt"])
def test_a_file_of_which_nothing_is_written_stays_as_it_is(
    plugin: InstalledPlugin, alice: RestClient, channel: Json, name: str
) -> None:
    info = alice.upload_file(channel["id"], name, TEXT)

    assert info["name"] == name
    assert alice.file_content(info["id"]) == TEXT


def test_the_sender_of_a_refused_file_sees_the_reason_and_nothing_is_stored(
    server: MattermostServer, plugin: InstalledPlugin, alice: RestClient, channel: Json
) -> None:
    with pytest.raises(RestError, match="no som here"):
        alice.upload_file(channel["id"], "reject-me.txt", TEXT)

    assert stored(server, "reject-me") == []


def test_an_exception_half_way_leaves_no_file(
    server: MattermostServer, plugin: InstalledPlugin, alice: RestClient, channel: Json
) -> None:
    with pytest.raises(RestError):
        alice.upload_file(channel["id"], "half-way.txt", TEXT)

    assert stored(server, "half-way") == []
    record = plugin.wait_for_log("file_will_be_uploaded raised OSError", level="error")
    assert "the scanner broke" in str(record.fields["traceback"])


def test_an_exception_before_anything_was_written_follows_the_policy_of_the_plugin(
    plugin: InstalledPlugin, alice: RestClient, channel: Json
) -> None:
    info = alice.upload_file(channel["id"], "raise-first.txt", TEXT)

    assert alice.file_content(info["id"]) == TEXT


def test_a_plugin_uploads_and_reads_files(files: InstalledPlugin, alice: RestClient, channel: Json) -> None:
    file_id = run(alice, channel, "upload", "made.bin", str(20 << 20))

    content = b"".join(bytes([number]) * (1 << 20) for number in range(20))
    assert (
        hashlib.sha256(server_content(alice, channel, file_id)).hexdigest()
        == hashlib.sha256(content).hexdigest()
    )
    digests = run(alice, channel, "digests", file_id)
    assert set(digests.values()) == {hashlib.sha256(content).hexdigest()}
    assert len(digests) == 4


def test_a_hook_that_does_nothing_is_not_waited_for_longer_than_its_deadline(
    server: MattermostServer, uploaded: dict[str, InstalledPlugin], alice: RestClient, channel: Json
) -> None:
    plugin = uploaded["files_async"]
    with running(plugin):
        info = alice.upload_file(channel["id"], "hang-unread.txt", TEXT)
        with pytest.raises(RestError):
            alice.upload_file(channel["id"], "hang-and-write.txt", TEXT)
        plugin.wait_for_log("A call of a hook failed", hook="FileWillBeUploaded", code="DeadlineExceeded")

    assert alice.file_content(info["id"]) == TEXT
    assert stored(server, "hang-and-write") == []


CASES: dict[str, type[Exception] | None] = {
    "reject": RestError,
    "ignore": None,
    "half": RestError,
    "raise": None,
}


@pytest.mark.parametrize("case", CASES)
def test_a_hook_that_stops_early_leaves_nothing(
    plugin: InstalledPlugin, alice: RestClient, channel: Json, case: str
) -> None:
    content = bytes(3 << 20)

    def upload() -> None:
        with pytest.raises(CASES[case]) if CASES[case] else contextlib.nullcontext():
            alice.upload_file(channel["id"], f"{case}-early.bin", content)

    upload()  # makes what is kept
    before = Resources.of(plugin)
    for _ in range(12):
        upload()

    Resources.wait_for(plugin, before)


def test_transfers_that_are_cut_short_leave_nothing(
    plugin: InstalledPlugin, alice: RestClient, channel: Json
) -> None:
    file_id = alice.upload_file(channel["id"], "ignore.bin", bytes(3 << 20))["id"]
    broke = ["the source broke"] * 3
    assert run(alice, channel, "cut_short", file_id) == ["10", *broke]
    before = Resources.of(plugin)
    for _ in range(8):
        assert run(alice, channel, "cut_short", file_id) == ["10", *broke]

    Resources.wait_for(plugin, before)


def server_content(user: RestClient, channel: Json, file_id: str) -> bytes:
    """Return a file that a plugin uploaded: it is for all once it hangs on a post."""
    user.create_post(channel["id"], "a file", file_ids=[file_id])
    return user.file_content(file_id)


def test_a_plugin_on_asyncio_uploads_and_reads_files(
    uploaded: dict[str, InstalledPlugin], alice: RestClient, channel: Json
) -> None:
    with running(uploaded["files_async"]):
        text = alice.run_command(channel["id"], "/files made.bin 9000")["text"]

    content = b"".join(bytes([number % 256]) * 1000 for number in range(9000))
    assert text.split()[1:] == [hashlib.sha256(content).hexdigest()] * 2


def test_a_file_that_is_not_there_raises_not_found(
    files: InstalledPlugin, alice: RestClient, channel: Json
) -> None:
    assert run(alice, channel, "missing", "n" * 26) == [["NotFound", 404]] * 2


def test_an_upload_that_was_cut_off_is_resumed(
    files: InstalledPlugin, alice: RestClient, channel: Json
) -> None:
    found = run(alice, channel, "resumed", "resumed.bin")

    assert found["outcomes"] == ["the source broke", "part"]
    assert 5 << 20 <= found["first"] <= 24 << 20
    assert run(alice, channel, "digests", found["file_id"])["get_file"] == found["digest"]


def test_a_plugin_installs_another_one_whole_or_not_at_all(
    server: MattermostServer, files: InstalledPlugin, bundle: BuildBundle, alice: RestClient, channel: Json
) -> None:
    found = run(alice, channel, "install", str(bundle(ROOT / "examples" / "hello")))

    try:
        assert found["broken"] == "the source broke"
        assert found["half"]
        assert "com.example.hello" not in found["between"]
        assert found["whole"] == "com.example.hello"
    finally:
        server.admin.delete("plugins/com.example.hello")
