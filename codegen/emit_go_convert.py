"""Emits go/internal/convert: the mappers between Go types and protobuf messages."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from typing import TYPE_CHECKING

from codegen.go_conversion import GoConversion, UnsupportedTypeError, wrapper_stem
from codegen.go_source import format_go, go_file
from codegen.header import header
from codegen.lowered import Conversion, ConversionKind, Field, Message, MessageKind, Schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FOLDER = "go/internal/convert"


def emit(schema: Schema) -> dict[str, str]:
    """Return the generated files of the package, path -> text."""
    bodies: dict[str, list[str]] = defaultdict(list)
    conversion = GoConversion(schema)
    for message in schema.messages():
        if message.kind is MessageKind.STRUCT:
            bodies[message.module].extend(_struct(message, conversion))
    for stem, wrapped in sorted(_wrapped(schema).items()):
        message = schema.message(wrapped.wrapper)
        bodies[message.module].extend(_wrapper(stem, wrapped, message, conversion))
    bodies["value_cases"] = list(_value_cases(schema, conversion))
    return format_go(
        {
            f"{FOLDER}/{stem}_gen.go": go_file(
                "convert", "\n\n".join(functions), schema.go_packages, header(schema)
            )
            for stem, functions in sorted(bodies.items())
            if functions
        }
    )


def conversions(schema: Schema) -> Iterator[Conversion]:
    """Yield every conversion the contract contains, with all they are made of."""
    for message in schema.messages():
        for field in message.fields:
            yield from field.conversion.walk()
    for service in schema.services:
        for method in service.methods:
            for field in (*method.params, *method.results):
                yield from field.conversion.walk()
    for case in schema.value_cases:
        yield from case.conversion.walk()


def _struct(message: Message, conversion: GoConversion) -> Iterator[str]:
    name, go_type, proto = message.go_name, message.go_type, f"pluginpb.{message.pb_go_name}"
    parts = "\n".join(
        f"{field.pb_go_name}: {conversion.to_proto(field.conversion, _go_field(field))},"
        for field in message.fields
    )
    yield (
        f"// {name}ToProto takes a {go_type} to its message.\n"
        f"func {name}ToProto(in *{go_type}) *{proto} {{\n"
        "if in == nil {\nreturn nil\n}\n"
        f"return &{proto}{{\n{parts}\n}}\n}}"
    )
    yield (
        f"// {name}FromProto takes a message to the {go_type} it came from.\n"
        f"func {name}FromProto(in *{proto}) *{go_type} {{\n"
        "if in == nil {\nreturn nil\n}\n"
        f"out := new({go_type})\n{name}Into(out, in)\nreturn out\n}}"
    )
    filled = "\n".join(_fill(field, conversion) for field in message.fields)
    yield (
        f"// {name}Into sets the fields of a {go_type} from its message.\n"
        f"func {name}Into(out *{go_type}, in *{proto}) {{\n{filled}\n}}"
    )


def _go_field(field: Field) -> str:
    return f"in.{field.go_getter}()" if field.go_getter else f"in.{field.go_name}"


def _fill(field: Field, conversion: GoConversion) -> str:
    kind, value = field.conversion, f"in.{field.pb_go_name}"
    if kind.kind is ConversionKind.MESSAGE and not kind.pointer and not kind.wrapper:
        return f"if {value} != nil {{\n{conversion.into(kind)}(&out.{field.go_name}, {value})\n}}"
    return f"out.{field.go_name} = {conversion.from_proto(kind, value)}"


def _wrapped(schema: Schema) -> Mapping[str, Conversion]:
    """Return what travels in wrapper messages, by the stem of the functions that map it."""
    found: dict[str, Conversion] = {}
    for conversion in conversions(schema):
        if not conversion.wrapper or conversion.kind not in {ConversionKind.LIST, ConversionKind.MAP}:
            continue
        stem = wrapper_stem(conversion)
        other = found.setdefault(stem, conversion)
        if other.go_type != conversion.go_type:
            raise UnsupportedTypeError(f"{stem} would map both {other.go_type} and {conversion.go_type}")
    return found


def _wrapper(stem: str, wrapped: Conversion, message: Message, conversion: GoConversion) -> Iterator[str]:
    field, proto = message.fields[0], f"pluginpb.{message.pb_go_name}"
    inner = dataclasses.replace(wrapped, wrapper="", pointer=False)
    if wrapped.pointer:
        go_type, value, absent = f"*{wrapped.go_type}", "*in", "if in == nil {\nreturn nil\n}\n"
        content = f"var out {wrapped.go_type} = {conversion.from_proto(inner, f'in.{field.pb_go_name}')}"
        back = f"{absent}{content}\nreturn &out"
    else:
        go_type, value, absent = wrapped.go_type, "in", ""
        back = f"return {conversion.from_proto(inner, f'in.Get{field.pb_go_name}()')}"
    yield (
        f"// {stem}ToProto puts a {go_type} into a message.\n"
        f"func {stem}ToProto(in {go_type}) *{proto} {{\n{absent}"
        f"return &{proto}{{{field.pb_go_name}: {conversion.to_proto(inner, value)}}}\n}}"
    )
    yield (
        f"// {stem}FromProto takes a {go_type} out of its message.\n"
        f"func {stem}FromProto(in *{proto}) {go_type} {{\n{back}\n}}"
    )


def _value_cases(schema: Schema, conversion: GoConversion) -> Iterator[str]:
    to_proto, from_proto = [], []
    for case in schema.value_cases:
        go_type = f"{'*' if case.conversion.pointer else ''}{case.conversion.go_type}"
        wrapper = f"pluginpb.{case.field.oneof_pb_go_type}"
        content = conversion.to_proto(case.conversion, "value")
        absent = "if value == nil {\nreturn &pluginpb.Value{}\n}\n" if case.conversion.pointer else ""
        to_proto.append(
            f"case {go_type}:\n{absent}"
            f"return &pluginpb.Value{{Kind: &{wrapper}{{{case.field.pb_go_name}: {content}}}}}"
        )
        back = conversion.from_proto(case.conversion, f"kind.{case.field.pb_go_name}")
        if case.conversion.wrapper:
            back = f"{case.conversion.go_type}({back})"
        from_proto.append(f"case *{wrapper}:\nreturn {back}")
    nothing = "}\nreturn nil\n}"
    yield (
        "// registeredToProto takes a value of a type registered with gob to its message, others to nil.\n"
        "func registeredToProto(in any) *pluginpb.Value {\nswitch value := in.(type) {\n"
        + "\n".join(to_proto)
        + f"\n{nothing}"
    )
    yield (
        "// registeredFromProto is the way back of registeredToProto.\n"
        "func registeredFromProto(in *pluginpb.Value) any {\nswitch kind := in.Kind.(type) {\n"
        + "\n".join(from_proto)
        + f"\n{nothing}"
    )
