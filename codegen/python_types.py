"""How conversions appear in Python: annotations, defaults, the models they name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from codegen.lowered import Conversion, ConversionKind, Message, MessageKind, Schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MODELS = "mattermost_plugin.models"

_DEFAULTS = {"str": '""', "int": "0", "float": "0.0", "bool": "False", "bytes": 'b""'}


ERRORS = "mattermost_plugin.errors"


class ModelIndex:
    """Where each model, enum and exception of the schema is declared."""

    def __init__(self, schema: Schema) -> None:
        self.modules: dict[str, str] = {}
        for message in models(schema):
            self.modules[message.python_name] = f"{MODELS}.{message.module}"
        for enum in schema.enums():
            self.modules[enum.name] = f"{MODELS}.{enum.module}"
        for message in schema.messages():
            if message.is_exception:
                self.modules[message.python_name] = ERRORS

    def named(self, annotation: str) -> Iterator[str]:
        """Yield the models and enums that an annotation names."""
        for name in re.findall(r"[A-Za-z_][A-Za-z0-9_.]*", annotation):
            if name in self.modules:
                yield name

    def imports(self, annotations: Iterable[str], but: str = "") -> dict[str, set[str]]:
        """Return module -> names for everything the annotations name, but for the names of one module."""
        found: dict[str, set[str]] = {}
        for annotation in annotations:
            for name in self.named(annotation):
                if self.modules[name] != but:
                    found.setdefault(self.modules[name], set()).add(name)
            if "Any" in re.findall(r"[A-Za-z_]+", annotation):
                found.setdefault("typing", set()).add("Any")
            if "datetime" in annotation:
                found.setdefault("datetime", set()).add("datetime")
        return found


def models(schema: Schema) -> Iterator[Message]:
    """Yield the messages that are models in Python."""
    for message in schema.messages():
        if message.kind is MessageKind.STRUCT and not message.is_exception:
            yield message


def annotation(conversion: Conversion) -> str:
    """Return the annotation of a value, with "| None" where it may be missing."""
    text = conversion.python_type.replace("datetime.datetime", "datetime")
    return f"{text} | None" if conversion.nullable and text != "Any" else text


def parameter_annotation(conversion: Conversion, *, optional: bool = False) -> str:
    """Return the annotation of a parameter: as the field's, but an enum also takes a plain `str`."""
    text = annotation(conversion)
    if conversion.kind is ConversionKind.ENUM:
        text = text.replace(conversion.enum, f"{conversion.enum} | str")
    if optional and not text.endswith("| None") and text != "Any":
        text = f"{text} | None"
    return text


def default(conversion: Conversion) -> str | None:
    """Return the source of a field's zero value, or None where it must be made anew for each instance."""
    if conversion.nullable:
        return "None"
    match conversion.kind:
        case ConversionKind.SCALAR:
            return _DEFAULTS[conversion.python_type]
        case ConversionKind.ENUM:
            return '""'
        case ConversionKind.TIMESTAMP:
            return "ZERO_TIME"
        case ConversionKind.VALUE | ConversionKind.ERROR:
            return "None"
        case ConversionKind.LIST | ConversionKind.MAP | ConversionKind.MESSAGE:
            return None


def fresh(conversion: Conversion) -> str:
    """Return the source that makes a zero value of a kind that instances must not share."""
    if conversion.kind is ConversionKind.LIST:
        return "[]"
    return "{}" if conversion.kind is ConversionKind.MAP else f"{conversion.python_type}()"
