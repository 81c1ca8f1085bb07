"""The example `filescan` on a real server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import images
from tests.e2e.conftest import ROOT, running
from tests.harness import InstalledPlugin, RestError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.conftest import BuildBundle
    from tests.harness import Json, MattermostServer, RestClient

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def uploaded(server: MattermostServer, bundle: BuildBundle) -> InstalledPlugin:
    return InstalledPlugin(server, bundle(ROOT / "examples" / "filescan"))


@pytest.fixture
def filescan(uploaded: InstalledPlugin) -> Iterator[InstalledPlugin]:
    with running(uploaded):
        yield uploaded


@pytest.mark.parametrize(
    ("name", "content", "clean"),
    [
        ("holiday.jpg", images.jpeg(), images.JPEG),
        ("holiday.png", images.png(), images.png(metadata=False)),
        ("notes.txt", b"plain text", b"plain text"),
    ],
    ids=["jpeg", "png", "text"],
)
def test_images_lose_their_metadata(
    filescan: InstalledPlugin, alice: RestClient, channel: Json, name: str, content: bytes, clean: bytes
) -> None:
    info = alice.upload_file(channel["id"], name, content)

    assert alice.file_content(info["id"]) == clean
    assert info["size"] == len(clean)
    assert info.get("has_preview_image", False) == name.startswith("holiday")


def test_what_is_refused_tells_its_sender_why(
    filescan: InstalledPlugin, alice: RestClient, channel: Json
) -> None:
    with pytest.raises(RestError, match="programs are not allowed"):
        alice.upload_file(channel["id"], "notes.txt", b"MZ\x90\0")
    with pytest.raises(RestError, match=r"files that end with \.exe are not allowed"):
        alice.upload_file(channel["id"], "run.exe", b"text")
    filescan.configure(blocked="txt", block_programs=False)
    with pytest.raises(RestError, match=r"files that end with \.txt are not allowed"):
        alice.upload_file(channel["id"], "notes.txt", b"text")
    assert alice.upload_file(channel["id"], "run.exe", b"MZ\x90\0")["name"] == "run.exe"
