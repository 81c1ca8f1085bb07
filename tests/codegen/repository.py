"""Where the generator's inputs are, and the contract as the repository has it."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from codegen import model
from codegen.lower import lower
from codegen.numbers import NumbersLock
from codegen.overrides import Overrides

if TYPE_CHECKING:
    from codegen.lowered import Schema

ROOT = Path(__file__).parents[2]
OVERRIDES = ROOT / "schema/overrides.toml"


@functools.cache
def contract() -> model.Model:
    """The extracted contract."""
    return model.load(ROOT / "schema/model.json")


@functools.cache
def schema() -> Schema:
    """The contract as emitters see it."""
    lock = NumbersLock.parse((ROOT / "schema/numbers.lock").read_text(encoding="utf-8"))
    return lower(contract(), Overrides.load(OVERRIDES), lock)
