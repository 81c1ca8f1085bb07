"""Emits the .proto files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen.header import header
from codegen.lower_methods import PACKAGE
from codegen.lowered import Cardinality, MethodKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codegen.lowered import Field, Message, Method, ProtoFile, Schema, Service, WireEnum

ROOT = "schema/proto"
GO_PACKAGE = "github.com/mattermost-plugin/mattermost-plugin/go/pluginpb;pluginpb"


def emit(schema: Schema) -> dict[str, str]:
    """Return the .proto files by path."""
    return {f"{ROOT}/{file.path}": _file(schema, file) for file in schema.files}


def _file(schema: Schema, file: ProtoFile) -> str:
    lines = [header(schema).rstrip("\n")]
    lines += [f"// Source: {source}" for source in file.sources]
    lines += ["", 'syntax = "proto3";', "", f"package {PACKAGE};", ""]
    paths = [*file.google_imports, *(f"mattermost/plugin/v1/{stem}.proto" for stem in file.imports)]
    lines += [f'import "{path}";' for path in paths]
    if paths:
        lines.append("")
    lines.append(f'option go_package = "{GO_PACKAGE}";')
    for service in schema.services:
        if service.name in file.services:
            lines += ["", *_service(service)]
    for enum in file.wire_enums:
        lines += ["", *_enum(enum)]
    for message in file.messages:
        lines += ["", *_message(message)]
    return "\n".join(lines) + "\n"


def _comment(text: str, indent: str = "") -> Iterator[str]:
    for line in text.splitlines():
        yield f"{indent}// {line}".rstrip()


def _service(service: Service) -> Iterator[str]:
    yield from _comment(service.doc)
    yield f"service {service.name} {{"
    for index, method in enumerate(service.methods):
        if index:
            yield ""
        yield from _comment(method.doc, "  ")
        yield f"  {_rpc(method)}"
    yield "}"


def _rpc(method: Method) -> str:
    streams_in = method.kind in {MethodKind.CLIENT_STREAM, MethodKind.BIDI_STREAM}
    streams_out = method.kind in {MethodKind.SERVER_STREAM, MethodKind.BIDI_STREAM}
    request = f"stream {method.request}" if streams_in else method.request
    response = f"stream {method.response}" if streams_out else method.response
    return f"rpc {method.go_name}({request}) returns ({response});"


def _enum(enum: WireEnum) -> Iterator[str]:
    yield from _comment(enum.doc)
    yield f"enum {enum.name} {{"
    for name, number, doc in enum.members:
        yield from _comment(doc, "  ")
        yield f"  {name} = {number};"
    yield "}"


def _message(message: Message) -> Iterator[str]:
    yield from _comment(message.doc)
    if not message.fields and not message.reserved_numbers:
        yield f"message {message.name} {{}}"
        return
    yield f"message {message.name} {{"
    if message.reserved_numbers:
        yield f"  reserved {', '.join(map(str, message.reserved_numbers))};"
        names = ", ".join(f'"{name}"' for name in message.reserved_names)
        yield f"  reserved {names};"
    for index, field in enumerate(message.fields):
        previous = message.fields[index - 1].oneof if index else ""
        following = message.fields[index + 1].oneof if index + 1 < len(message.fields) else ""
        yield from _field(field, opens=field.oneof != previous, closes=field.oneof != following)
    yield "}"


def _field(field: Field, *, opens: bool, closes: bool) -> Iterator[str]:
    indent = "    " if field.oneof else "  "
    if field.oneof and opens:
        yield f"  oneof {field.oneof} {{"
    yield from _comment(field.doc, indent)
    label = {Cardinality.REPEATED: "repeated ", Cardinality.OPTIONAL: "optional "}.get(field.cardinality, "")
    yield f"{indent}{label}{field.conversion.proto_type} {field.proto_name} = {field.number};"
    if field.oneof and closes:
        yield "  }"
