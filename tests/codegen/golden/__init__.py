"""A small contract with one of everything, and what the generator makes of it.

``python -m tests.codegen.golden`` writes the expected files anew; read the difference before committing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from codegen import emit_proto, model
from codegen.lower import lower
from codegen.numbers import NumbersLock
from codegen.overrides import Overrides

if TYPE_CHECKING:
    from codegen.lowered import Schema

HERE = Path(__file__).parent
EXPECTED = HERE / "expected"


def golden_schema(lock: NumbersLock | None = None) -> Schema:
    """Return the small contract, lowered."""
    overrides = Overrides.load(HERE / "overrides.toml")
    return lower(model.load(HERE / "model.json"), overrides, lock or NumbersLock())


def golden_files() -> dict[str, str]:
    """Return what is generated of it: the .proto files and the lock."""
    lock = NumbersLock()
    files = {Path(path).name: text for path, text in emit_proto.emit(golden_schema(lock)).items()}
    return {**files, "numbers.lock": lock.text()}
