from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from codegen import __main__ as command
from codegen.emitters import EMITTERS
from codegen.generate import MODEL, NUMBERS, OVERRIDES, Difference, differences, generate, write
from tests.codegen.repository import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PROTO = [emitter for emitter in EMITTERS if emitter.name == "proto"]


@pytest.fixture
def generated(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A directory holding the generator's inputs and, freshly written, the .proto files."""
    for path in (OVERRIDES, NUMBERS):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    files = generate(tmp_path, PROTO, model_text=(ROOT / MODEL).read_text(encoding="utf-8"))
    write(tmp_path, files, PROTO)
    return tmp_path, files


def test_what_was_just_written_does_not_differ(generated: tuple[Path, dict[str, str]]) -> None:
    root, files = generated
    assert differences(root, files, PROTO) == []


def test_generating_twice_gives_the_same(generated: tuple[Path, dict[str, str]]) -> None:
    root, files = generated
    assert generate(root, PROTO, model_text=files[MODEL]) == files


def test_edited_missing_and_stale_files_are_found(generated: tuple[Path, dict[str, str]]) -> None:
    root, files = generated
    folder = root / "schema/proto/mattermost/plugin/v1"
    with (folder / "post.proto").open("a", encoding="utf-8") as file:
        file.write("// by hand\n")
    (folder / "bot.proto").unlink()
    (folder / "gone.proto").write_text("// left over\n", encoding="utf-8")
    prefix = "schema/proto/mattermost/plugin/v1"
    expected = [
        Difference(f"{prefix}/bot.proto", "missing"),
        Difference(f"{prefix}/post.proto", "differs"),
        Difference(f"{prefix}/gone.proto", "stale"),
    ]
    assert differences(root, files, PROTO) == expected
    assert write(root, files, PROTO) == expected
    assert differences(root, files, PROTO) == []


def test_check_fails_and_names_the_file_that_was_edited(
    generated: tuple[Path, dict[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    root, _ = generated
    arguments = ["--check", "--skip-extract", "--only", "proto", "--root", str(root)]
    assert command.main(arguments) == 0
    edited = root / "schema/proto/mattermost/plugin/v1/bot.proto"
    edited.write_text(edited.read_text(encoding="utf-8").replace("string", "bytes", 1), encoding="utf-8")
    assert command.main(arguments) == 1
    assert "differs: schema/proto/mattermost/plugin/v1/bot.proto" in capsys.readouterr().err
    assert "bytes" in edited.read_text(encoding="utf-8")


def test_a_new_number_missing_from_the_lock_is_a_difference(
    generated: tuple[Path, dict[str, str]],
) -> None:
    root, files = generated
    lock = root / NUMBERS
    lines = [line for line in files[NUMBERS].splitlines() if not line.startswith("Bot.")]
    lock.write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = differences(root, generate(root, PROTO, model_text=files[MODEL]), PROTO)
    assert found == [Difference(NUMBERS, "differs")]


def test_a_breaking_change_ends_the_command_with_a_message_instead_of_a_traceback(
    generated: tuple[Path, dict[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    root, files = generated
    (root / NUMBERS).write_text(files[NUMBERS].replace("Bot.username 2 string", "Bot.username 2 bytes"))
    assert command.main(["--skip-extract", "--only", "proto", "--root", str(root)]) == 1
    shown = capsys.readouterr().err
    assert shown.startswith("codegen: the wire contract would break:\n  Bot.username: type 'bytes'")
