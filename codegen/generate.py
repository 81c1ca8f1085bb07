"""Runs the generator: extract, lower, emit; and compares with what is on disk."""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from codegen import model
from codegen.lower import lower
from codegen.numbers import NumbersLock
from codegen.overrides import Overrides
from codegen.problems import CodegenError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codegen.emitters import Emitter

MODEL = "schema/model.json"
OVERRIDES = "schema/overrides.toml"
NUMBERS = "schema/numbers.lock"


class ExtractError(CodegenError):
    """The Go extractor failed."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A generated file that is not as it should be."""

    path: str
    kind: str  # "missing", "differs" or "stale"


def extract(root: Path) -> str:
    """Run go/cmd/extract and return the text of model.json."""
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory, "model.json")
        command = ["go", "run", "./cmd/extract", "-dir", ".", "-out", str(out)]
        done = subprocess.run(command, cwd=root / "go", capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ExtractError(done.stderr.strip())
        return out.read_text(encoding="utf-8")


def generate(root: Path, emitters: Sequence[Emitter], *, model_text: str) -> dict[str, str]:
    """Return every generated file's text by path, the lock and the model among them.

    Args:
        root: The repository; its overrides and lock are read.
        emitters: What to run.
        model_text: The text of model.json.
    """
    lock_path = root / NUMBERS
    lock = NumbersLock.parse(lock_path.read_text(encoding="utf-8") if lock_path.exists() else "")
    schema = lower(model.parse_text(model_text), Overrides.load(root / OVERRIDES), lock)
    files = {MODEL: model_text, NUMBERS: lock.text()}
    for emitter in emitters:
        emitted = emitter.emit(schema)
        if twice := sorted(set(emitted) & set(files)):
            raise ValueError(f"emitter {emitter.name} writes files of another: {', '.join(twice)}")
        files.update(emitted)
    return files


def differences(root: Path, files: dict[str, str], emitters: Sequence[Emitter]) -> list[Difference]:
    """Compare generated files with those on disk."""
    found = []
    for path, text in sorted(files.items()):
        target = root / path
        if not target.exists():
            found.append(Difference(path, "missing"))
        elif target.read_bytes() != text.encode():
            found.append(Difference(path, "differs"))
    found += [Difference(path, "stale") for path in stale(root, files, emitters)]
    return found


def stale(root: Path, files: dict[str, str], emitters: Sequence[Emitter]) -> list[str]:
    """Return files on disk that an emitter owns and no longer writes."""
    owned = {
        path.relative_to(root).as_posix()
        for emitter in emitters
        for pattern in emitter.owns
        for path in root.glob(pattern)
        if path.is_file()
    }
    return sorted(owned - set(files))


def write(root: Path, files: dict[str, str], emitters: Sequence[Emitter]) -> list[Difference]:
    """Bring the disk up to date; returns what had to be changed."""
    changed = differences(root, files, emitters)
    for difference in changed:
        target = root / difference.path
        if difference.kind == "stale":
            target.unlink()
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(files[difference.path].encode())
    return changed
