"""Emit `_gen/layouts`, the fields of models, and `_gen/value_cases.py`, what `any` may hold."""

from __future__ import annotations

from codegen import header
from codegen.lowered import ConversionKind, Message, Schema, ValueCase
from codegen.python_format import format_python
from codegen.python_tables import Tables, by_number, table_source
from codegen.python_types import models

FOLDER = "src/mattermost_plugin/_gen"


def emit(schema: Schema) -> dict[str, str]:
    """Return the modules of `mattermost_plugin._gen.layouts`, and `_gen/value_cases.py`."""
    head = header.header(schema, comment="#")
    tables = Tables(schema)
    modules: dict[str, list[Message]] = {}
    exceptions = [message for message in schema.messages() if message.is_exception]
    for message in [*models(schema), *exceptions]:
        modules.setdefault(message.module, []).append(message)
    files = {
        f"{FOLDER}/__init__.py": head + '"""Generated: the fields of messages, and tables of methods."""\n',
        f"{FOLDER}/layouts/__init__.py": head + '"""The fields of messages, by module."""\n',
        f"{FOLDER}/value_cases.py": head + _value_cases(schema, tables),
    }
    for module, messages in modules.items():
        files[f"{FOLDER}/layouts/{module}.py"] = head + _module(tables, module, messages)
    return format_python(files)


def _module(tables: Tables, module: str, messages: list[Message]) -> str:
    lines = [
        f'"""The fields of the messages of `{module}`, as `mattermost_plugin._codec.forms` reads them."""',
        "from __future__ import annotations",
        "",
        "LAYOUTS: dict[str, str] = {",
    ]
    for message in messages:
        name = message.name if message.is_exception else message.python_name
        source = table_source(tables.fields(by_number(message)), " " * 8)
        lines.append(f"    {name!r}: {source},")
    return "\n".join([*lines, "}", ""])


def _value_cases(schema: Schema, tables: Tables) -> str:
    value = schema.message("Value")
    registered = {case.field.proto_name for case in schema.value_cases}
    numbers = {
        field.proto_name.removesuffix("_value").upper(): field.number
        for field in value.fields
        if field.proto_name not in registered
    }
    kinds = next(enum for file in schema.files for enum in file.wire_enums if enum.name == "GoKind")
    lines = [
        '"""The fields of the `Value` message, and the types registered with gob that it can hold."""',
        "from __future__ import annotations",
        "",
        "from typing import NamedTuple",
        "class Registered(NamedTuple):",
        '    """A type registered with gob."""',
        "    reference: str  # of the model, or of the exception's message",
        "    python_name: str  # of its class",
        "    message: str",
        "    items: bool  # the message holds a list of them",
        "    exception: bool",
        "",
        *(f"{name} = {number}" for name, number in numbers.items()),
        "",
        "# Go type -> number in the enum GoKind.",
        "GO_KINDS: dict[str, int] = {",
        *(f"    {name.removeprefix('GO_KIND_')!r}: {number}," for name, number, _ in kinds.members if number),
        "}",
        "# Number of the case -> type.",
        "REGISTERED: dict[int, Registered] = {",
        *(f"    {case.field.number}: {_registered(schema, case, tables)}," for case in schema.value_cases),
        "}",
        "",
    ]
    return "\n".join(lines)


def _registered(schema: Schema, case: ValueCase, tables: Tables) -> str:
    conversion = case.conversion
    items = conversion.kind is ConversionKind.LIST and conversion.elem is not None
    name = conversion.elem.message if items and conversion.elem is not None else conversion.message
    target = schema.message(name)
    message = conversion.wrapper or conversion.message
    return f"Registered{(tables.reference(name), target.python_name, message, items, target.is_exception)!r}"
