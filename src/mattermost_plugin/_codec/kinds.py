"""Values that remember which Go type they came from.

Go's `any` tells `int` from `int64` and `[]string` from `[]any`; Python does not. A value decoded from a Go
type that is not the usual one for its Python type is an instance of a small subclass, equal to and usable as
the plain value, that is encoded as what it was.
"""

from __future__ import annotations

from typing import Any

from mattermost_plugin._gen.value_cases import GO_KINDS, REGISTERED

__all__ = ["KINDS", "REGISTERED_LISTS", "UNSIGNED", "ElementRule", "UnsignedInt", "element_rule"]

_BASES: dict[str, type] = {
    "STRING_MAP": dict,
    "FLOAT32": float,
    "COMPLEX64": complex,
}

# What a slice of a Go type may hold in Python.
_ELEMENTS: dict[str, tuple[type, ...]] = {
    "BOOL": (bool,),
    "STRING": (str,),
    "BYTES": (bytes,),
    "FLOAT": (float, int),
    "COMPLEX": (complex,),
    "INT": (int,),
    "UINT": (int,),
}


class UnsignedInt(int):
    """A Go `uint64`."""

    __slots__ = ()


class ElementRule:
    """What a list or dict that came from a typed Go slice or map may hold to stay one."""

    __slots__ = ("types", "unsigned")

    def __init__(self, types: tuple[type, ...], *, unsigned: bool) -> None:
        self.types = types
        self.unsigned = unsigned

    def allows(self, values: Any) -> bool:
        """Whether all values are of the right type (`bool` is no `int`, and unsigned is not negative)."""
        if any(not isinstance(value, self.types) for value in values):
            return False
        if int in self.types and any(isinstance(value, bool) for value in values):
            return False
        return not self.unsigned or all(value >= 0 for value in values)


def _base(name: str) -> type:
    if name.endswith("_SLICE"):
        return list
    return _BASES.get(name, int)


def _class_name(kind: str) -> str:
    return "Go" + "".join(part.capitalize() for part in kind.split("_"))


def _make(kind: str, number: int) -> type:
    name = _class_name(kind)
    base = _base(kind)
    made = type(name, (base,), {"__slots__": (), "__module__": __name__, "go_kind": number})
    globals()[name] = made  # so that instances can be copied and pickled
    return made


# Numbers of the kinds of a single unsigned integer.
UNSIGNED = {
    number for kind, number in GO_KINDS.items() if kind.startswith("UINT") and not kind.endswith("_SLICE")
}

# Number of the kind -> class of the values.
KINDS: dict[int, type] = {number: _make(kind, number) for kind, number in GO_KINDS.items()}


def _rule(kind: str) -> ElementRule | None:
    if kind == "STRING_MAP":
        return ElementRule((str,), unsigned=False)
    if not kind.endswith("_SLICE"):
        return None
    element = kind.removesuffix("_SLICE").rstrip("0123456789")
    element = "UINT" if element == "UINTPTR" else element
    return ElementRule(_ELEMENTS[element], unsigned=element == "UINT")


_RULES = {KINDS[number]: _rule(kind) for kind, number in GO_KINDS.items()}


def element_rule(kind: type) -> ElementRule | None:
    """Return what instances of a class in `KINDS` may hold; None for scalars."""
    return _RULES[kind]


def _registered_class(number: int, name: str) -> type:
    made = type(name, (list,), {"__slots__": (), "__module__": __name__, "case": number})
    globals()[name] = made
    return made


# Number of a case of Value -> class of the lists that came from it, for slices registered with gob.
REGISTERED_LISTS: dict[int, type] = {
    number: _registered_class(number, f"Registered{entry.message}")
    for number, entry in REGISTERED.items()
    if entry.items
}
