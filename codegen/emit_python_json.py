"""Emit `mattermost_plugin/_gen/json_names`: what JSON calls the fields of models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen import header
from codegen.python_format import format_python
from codegen.python_types import models

if TYPE_CHECKING:
    from codegen.lowered import Field, Schema

PATH = "src/mattermost_plugin/_gen/json_names/__init__.py"


def emit(schema: Schema) -> dict[str, str]:
    """Return the module."""
    lines = [
        '"""What the server\'s JSON calls fields of models, where it is not the name in Python.',
        "",
        "None where JSON leaves the field out; empty where the fields of the field stand in its place.",
        '"""',
        "from __future__ import annotations",
        "",
        '__all__ = ["JSON_NAMES"]',
        "JSON_NAMES: dict[str, dict[str, str | None]] = {",
    ]
    for message in models(schema):
        names = {field.python_name: _name(field) for field in message.fields}
        differing = {python: name for python, name in names.items() if python != name}
        if differing:
            lines.append(f"    {message.python_name!r}: {differing!r},")
    lines.append("}")
    return format_python({PATH: header.header(schema, comment="#") + "\n".join(lines) + "\n"})


def _name(field: Field) -> str | None:
    if field.json_name == "-":
        return None
    if field.json_name:
        return field.json_name
    return "" if field.embedded else field.go_name
