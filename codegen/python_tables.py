"""How fields travel, as the tables of the SDK say it: see `mattermost_plugin._codec.forms`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen.lowered import Conversion, ConversionKind, Field, Message, Schema

if TYPE_CHECKING:
    from collections.abc import Iterable

_SCALARS = {
    "string": "s",
    "bool": "b",
    "int64": "i",
    "int32": "I",
    "uint64": "U",
    "uint32": "u",
    "double": "d",
    "float": "f",
    "bytes": "y",
}
_CONTAINERS = {ConversionKind.LIST: "[", ConversionKind.MAP: "{"}


class Tables:
    """Writes the tables' strings."""

    def __init__(self, schema: Schema) -> None:
        self._messages = {message.name: message for message in schema.messages()}
        self._enums = {enum.name: enum for enum in schema.enums()}

    def fields(self, fields: Iterable[Field], *, ends: bool = False) -> list[str]:
        """Return the entry of each field.

        Args:
            fields: The fields.
            ends: They end a call in another way than by its results.
        """
        return [self._entry(field, ends=ends) for field in fields]

    def reference(self, name: str) -> str:
        """Return how the tables name a model, or the message of an exception."""
        message = self._messages[name]
        return f"{message.module}/{message.name if message.is_exception else message.python_name}"

    def _entry(self, field: Field, *, ends: bool) -> str:
        form, references = self._form(field.conversion)
        if ends:
            form = f"!{form.lstrip('?')}"
        return " ".join([str(field.number), field.python_name, form, *references])

    def _form(self, conversion: Conversion) -> tuple[str, list[str]]:
        presence = "?" if conversion.nullable and conversion.kind is not ConversionKind.VALUE else ""
        if conversion.wrapper:
            if self._messages[conversion.wrapper].fields[0].number != 1:
                raise ValueError(f"{conversion.wrapper}: the content of a wrapper is its field 1")
            presence += "("
        container = _CONTAINERS.get(conversion.kind)
        if container is None:
            kind, references = self._kind(conversion)
            if kind == "m" and conversion.pointer and not conversion.nullable:
                presence = "*"
            return presence + kind, references
        if conversion.elem is None:
            raise ValueError(f"{conversion.go_type} has no elements")
        form, references = self._form(conversion.elem)
        if conversion.key is not None:
            key, names = self._kind(conversion.key)
            if key not in "se":
                raise ValueError(f"no rule for the keys of {conversion.go_type}")
            container += "=" if key == "e" else ""
            references = [*names, *references]
        # An element is always there: gob refuses nil in a list or map.
        return presence + container + form.lstrip("*"), references

    def _kind(self, conversion: Conversion) -> tuple[str, list[str]]:
        match conversion.kind:
            case ConversionKind.SCALAR:
                return _SCALARS[conversion.proto_type], []
            case ConversionKind.ENUM:
                return "e", [f"{self._enums[conversion.enum].module}/{conversion.enum}"]
            case ConversionKind.MESSAGE:
                kind = "x" if self._messages[conversion.message].is_exception else "m"
                return kind, [self.reference(conversion.message)]
            case ConversionKind.VALUE:
                return "v", []
            case ConversionKind.TIMESTAMP:
                return "t", []
            case ConversionKind.ERROR:
                return "E", []
            case _:
                raise ValueError(f"{conversion.kind} is no single value")


def by_number(message: Message) -> list[Field]:
    """Return a message's fields in the order of their numbers."""
    return sorted(message.fields, key=lambda field: field.number)


def table_source(entries: list[str], indent: str, width: int = 106) -> str:
    """Return the source of a table: one string in lines of a readable length."""
    lines: list[str] = []
    for index, entry in enumerate(entries):
        text = f"{entry}; " if index + 1 < len(entries) else entry
        if lines and len(indent) + len(lines[-1]) + len(text) + 2 <= width:
            lines[-1] += text
        else:
            lines.append(text)
    if len(lines) < 2:
        return f'"{"".join(lines)}"'
    return "(\n" + "".join(f'{indent}"{line}"\n' for line in lines) + ")"
