"""Emit `mattermost_plugin/_gen/*_methods.py`: the tables of methods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen import header
from codegen.python_format import format_python
from codegen.python_methods import (
    can_reject,
    check_streams,
    grpc_kind,
    is_hook,
    parameters,
    request_fields,
    result_fields,
    signature,
    unavailable,
)
from codegen.python_tables import Tables, table_source

if TYPE_CHECKING:
    from codegen.lowered import Method, Schema

FOLDER = "src/mattermost_plugin/_gen"

_TABLES = {
    "Hooks": ("hook_methods", "HOOKS"),
    "API": ("api_methods", "API"),
    "Driver": ("driver_methods", "DRIVER"),
}


def emit(schema: Schema) -> dict[str, str]:
    """Return the tables of methods."""
    head = header.header(schema, comment="#")
    files = {}
    for service in schema.services:
        file, table = _TABLES[service.name]
        files[f"{FOLDER}/{file}.py"] = head + _table(schema, table, service.methods)
    return format_python(files)


def _table(schema: Schema, table: str, methods: tuple[Method, ...]) -> str:
    lines = [
        f'"""The methods of {methods[0].service}. Their codecs are made when they are first used."""',
        "from __future__ import annotations",
        "",
        "from mattermost_plugin._codec.methods import Method",
        "",
    ]
    tables = Tables(schema)
    listed = []
    for method in methods:
        name = method.python_name.upper()
        lines.append(f"{name} = {_entry(schema, tables, method)}")
        if method.go_name != "Implemented":
            listed.append(f"        {name},")
    return "\n".join(
        [
            *lines,
            "",
            "# By Python name, in Go's order.",
            f"{table}: dict[str, Method] = {{",
            "    method.name: method",
            "    for method in (",
            *listed,
            "    )",
            "}",
            "",
        ]
    )


def _entry(schema: Schema, tables: Tables, method: Method) -> str:
    names = tuple(name.lstrip("*") for name, _ in parameters(method))
    arguments = [
        repr(method.service),
        repr(method.go_name),
        repr(method.python_name),
        repr(names),
        repr(signature(method)),
    ]
    if unavailable(method):
        arguments.append(f"unavailable={unavailable(method)!r}")
    else:
        check_streams(schema, method)
        request, response = _request(schema, tables, method), _response(tables, method)
        if request or response:
            arguments.append(table_source(request, " " * 8))
        if response:
            arguments.append(table_source(response, " " * 8))
    if method.minimum_version:
        arguments.append(f"minimum_version={method.minimum_version!r}")
    if grpc_kind(method) != "unary_unary":
        arguments.append(f"kind={grpc_kind(method)!r}")
    if is_hook(method) and can_reject(method):
        arguments.append("can_reject=True")
    return f"Method({', '.join(arguments)})"


def _request(schema: Schema, tables: Tables, method: Method) -> list[str]:
    return tables.fields(request_fields(schema, method))


def _response(tables: Tables, method: Method) -> list[str]:
    returned = result_fields(method)
    ends = [
        field
        for field in (method.error, method.rejection_reason)
        if field is not None and field not in returned
    ]
    return [*tables.fields(returned), *tables.fields(ends, ends=True)]
