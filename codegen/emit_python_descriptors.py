"""Emit `mattermost_plugin/_gen/descriptors`, and the table of what may stand in an `any`."""

from __future__ import annotations

from codegen import header
from codegen.lowered import ConversionKind, Schema, ValueCase
from codegen.python_descriptors import Group, group_keys, groups
from codegen.python_format import format_python
from codegen.python_types import attribute

FOLDER = "src/mattermost_plugin/_gen"


def emit(schema: Schema) -> dict[str, str]:
    """Return the modules of `mattermost_plugin._gen.descriptors`, and `_gen/value_cases.py`."""
    head = header.header(schema, comment="#")
    found = groups(schema)
    modules: dict[str, list[Group]] = {}
    for group in found:
        modules.setdefault(group.module, []).append(group)
    files = {
        f"{FOLDER}/descriptors/{module}.py": head + _module(content) for module, content in modules.items()
    }
    files[f"{FOLDER}/descriptors/__init__.py"] = head + '"""Descriptors of protobuf messages, by module."""\n'
    files[f"{FOLDER}/descriptors/index.py"] = head + _index(found)
    files[f"{FOLDER}/value_cases.py"] = head + _value_cases(schema, group_keys(found))
    return format_python(files)


def _module(found: list[Group]) -> str:
    lines = [
        '"""Serialized descriptor files: name of the group -> (keys of the groups it needs, descriptor)."""',
        "from __future__ import annotations",
        "",
        "GROUPS: dict[str, tuple[tuple[str, ...], bytes]] = {",
    ]
    lines += [f"    {group.name!r}: ({group.dependencies!r}, {group.descriptor!r})," for group in found]
    return "\n".join([*lines, "}", ""])


def _index(found: list[Group]) -> str:
    keys = group_keys(found)
    return "\n".join(
        [
            '"""Where each message is described. For tools and tests: the codecs know it without."""',
            "from __future__ import annotations",
            "",
            "KEYS: dict[str, str] = {",
            *(f"    {name!r}: {key!r}," for name, key in sorted(keys.items())),
            "}",
            "",
        ]
    )


def _value_cases(schema: Schema, keys: dict[str, str]) -> str:
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
        '    """A type registered with gob: how it is described and converted."""',
        "    key: str",
        "    message: str",
        "    codecs: str",
        "    function: str",
        "    python_name: str",
        "    items: str  # field of the wrapper that holds the elements of a list",
        "",
        *(f"{name} = {number}" for name, number in numbers.items()),
        "",
        "# Go type -> number in the enum GoKind.",
        "GO_KINDS: dict[str, int] = {",
        *(f"    {name.removeprefix('GO_KIND_')!r}: {number}," for name, number, _ in kinds.members if number),
        "}",
        "# Number of the case -> type.",
        "REGISTERED: dict[int, Registered] = {",
        *(f"    {case.field.number}: {_registered(schema, case, keys)}," for case in schema.value_cases),
        "}",
        "",
    ]
    return "\n".join(lines)


def _registered(schema: Schema, case: ValueCase, keys: dict[str, str]) -> str:
    conversion = case.conversion
    items = ""
    name = conversion.message
    if conversion.kind is ConversionKind.LIST and conversion.elem is not None:
        items = attribute(schema.message(conversion.wrapper).fields[0])
        name = conversion.elem.message
    target = schema.message(name)
    codecs = "mattermost_plugin._codec.errors_special"
    if not target.is_exception:
        codecs = f"mattermost_plugin._gen.codecs.{target.module}"
    message = conversion.wrapper or conversion.message
    fields = (keys[message], message, codecs, target.function_name, target.python_name, items)
    return f"Registered{fields!r}"
