"""What the example `filescan` keeps of images, and what it refuses."""

from __future__ import annotations

import importlib
import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mattermost_plugin import Context, FileInfo, Reject
from tests import images

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLE = Path(__file__).parents[3] / "examples" / "filescan"
MODULES = [path.stem for path in EXAMPLE.glob("*.py")]


@pytest.fixture
def scan(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The plugin with the settings of its manifest, called with a name and a content."""
    monkeypatch.syspath_prepend(str(EXAMPLE))
    for name in MODULES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    plugin = importlib.import_module("plugin").FileScan()
    plugin.settings = importlib.import_module("settings").Settings(blocked="bat, .EXE", block_programs=True)

    def upload(name: str, content: bytes) -> tuple[Any, bytes]:
        output = io.BytesIO()
        result = plugin.file_will_be_uploaded(Context(), FileInfo(name=name), io.BytesIO(content), output)
        return result, output.getvalue()

    yield upload
    for name in MODULES:
        sys.modules.pop(name, None)


def test_a_jpeg_loses_all_but_the_image(scan: Any) -> None:
    result, written = scan("a.jpg", images.jpeg())
    assert result is None
    assert written == images.JPEG


@pytest.mark.parametrize("orientation", [2, 6, 8])
def test_a_jpeg_keeps_which_side_is_up_and_nothing_else_of_its_exif_data(scan: Any, orientation: int) -> None:
    result, written = scan("a.jpeg", images.jpeg(orientation=orientation))
    assert result is None
    assert images.SECRET not in written
    assert written.count(b"Exif") == 1
    assert scan("again.jpg", written)[1] == written
    assert written[written.index(b"\x01\x12") + 9] == orientation
    assert written.endswith(images.JPEG[2:])


def test_a_jpeg_keeps_its_color_profile(scan: Any) -> None:
    profile = images.segment(0xE2, b"ICC_PROFILE\0\1\1colors")
    previews = images.segment(0xE2, b"MPF\0" + images.SECRET)
    content = images.JPEG[:2] + profile + previews + images.JPEG[2:]
    assert scan("a.jpg", content)[1] == images.JPEG[:2] + profile + images.JPEG[2:]


def test_a_png_loses_all_but_the_image(scan: Any) -> None:
    result, written = scan("a.png", images.png())
    assert result is None
    assert written == images.png(metadata=False)


def test_an_image_is_known_by_its_content(scan: Any) -> None:
    assert scan("notes.txt", images.png()) == (None, images.png(metadata=False))


@pytest.mark.parametrize("content", [images.jpeg(), images.png()], ids=["jpeg", "png"])
def test_an_image_that_ends_anywhere_is_refused(scan: Any, content: bytes) -> None:
    whole = len(content) - len(b"a film: " + images.SECRET)
    for size in range(8, whole):
        result, _ = scan("a", content[:size])
        assert isinstance(result, Reject), size
        assert "damaged" in result.reason


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("run.EXE", b"text", "files that end with .exe are not allowed"),
        ("run.bat", b"text", "files that end with .bat are not allowed"),
        ("holiday.jpg", b"MZ\x90\0", "programs are not allowed"),
        ("notes", b"\x7fELF\2\1\1", "programs are not allowed"),
        ("holiday.jpg", b"<html>", "this is no .jpg image"),
        ("holiday.png", b"", "this is no .png image"),
    ],
)
def test_some_files_are_refused(scan: Any, name: str, content: bytes, reason: str) -> None:
    assert scan(name, content) == (Reject(reason), b"")


def test_other_files_stay_as_they_are(scan: Any) -> None:
    assert scan("notes.txt", b"plain text") == (None, b"")
    assert scan("empty", b"") == (None, b"")
