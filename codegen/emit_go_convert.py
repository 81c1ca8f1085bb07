"""Emits go/internal/convert: the codecs between Go types and protobuf's encoding."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from typing import TYPE_CHECKING

from codegen.go_codecs import GoCodecs, UnsupportedTypeError, go_type, in_pieces, tag, wrapper_stem
from codegen.go_source import format_go, go_file
from codegen.header import header
from codegen.lowered import Conversion, ConversionKind, Field, Message, MessageKind, Method, Role, Schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FOLDER = "go/internal/convert"

# Messages that handwritten functions read and write, by the stem of the constants of their tags.
_HANDWRITTEN = {
    "Value": "value",
    "Complex": "complex",
    "Error": "error",
    "ValueList": "valueList",
    "ValueMap": "valueMap",
}

# The cases of Value beside those for types registered with gob that are messages.
_VALUE_MESSAGES = ("list_value", "map_value", "time_value", "complex_value")

# Hooks whose answer Mattermost's client decodes into the argument: what it leaves empty stays as it was, all
# of it where the plugin refuses.
MERGED_HOOKS = {
    "MessageWillBePosted",
    "ChannelMemberWillBeAdded",
    "TeamMemberWillBeAdded",
    "FileWillBeUploaded",
}


def emit(schema: Schema) -> dict[str, str]:
    """Return the generated files of the package, path -> text."""
    bodies: dict[str, list[str]] = defaultdict(list)
    codecs = GoCodecs(schema)
    for message in schema.messages():
        if message.kind is MessageKind.STRUCT:
            bodies[message.module].extend(_struct(message, codecs))
    for stem, wrapped in sorted(_wrapped(schema).items()):
        message = schema.message(wrapped.wrapper)
        bodies[message.module].extend(_wrapper(stem, wrapped, message, codecs))
    for service in schema.services:
        for method in service.methods:
            for message, stream in (
                (schema.message(method.request), method.request_stream),
                (schema.message(method.response), method.response_stream),
            ):
                if stream is None:
                    bodies[f"{message.module}_messages"].extend(_call_message(message, codecs, method))
                    continue
                part = schema.message(stream.head)
                bodies[f"{message.module}_messages"].extend(_call_message(part, codecs, method))
                bodies[f"{message.module}_messages"].append(
                    f"// {message.pb_go_name} is a part of a stream of {method.go_name}.\n"
                    f"type {message.pb_go_name} = Part[{part.pb_go_name}, *{part.pb_go_name}]"
                )
    bodies["value_cases"] = [*_tags(schema), *_value_cases(schema)]
    bodies["merge"] = list(_merges(schema))
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


def _struct(message: Message, codecs: GoCodecs) -> Iterator[str]:
    name, go_type = message.go_name, message.go_type
    yield (
        f"// Append{name} appends the encoding of a {go_type}; nothing for nil.\n"
        f"func Append{name}(b []byte, in *{go_type}) []byte {{\n"
        f"if in == nil {{\nreturn b\n}}\n{_appends(message, codecs)}return b\n}}"
    )
    yield (
        f"// Parse{name} reads a {go_type} into its zero value; see Message about data.\n"
        f"func Parse{name}(data []byte, out *{go_type}) error {{ return parse{name}(newSource(data), out) }}"
    )
    yield f"func parse{name}(in source, out *{go_type}) error {{\n{_cases(message, codecs, 'in')}\n}}"


def _call_message(message: Message, codecs: GoCodecs, method: Method) -> Iterator[str]:
    """Yield a struct for a message of a method, with its codec."""
    name = message.pb_go_name
    fields = "".join(f"{field.pb_go_name} {go_type(field.conversion)}\n" for field in message.fields)
    what = {
        MessageKind.REQUEST: f"holds the arguments of {method.go_name}",
        MessageKind.RESPONSE: f"holds the results of {method.go_name}",
    }.get(message.kind, f"is the head of a stream of {method.go_name}")
    yield f"// {name} {what}.\ntype {name} struct {{\n{fields}}}"
    if message.kind is MessageKind.STREAM_PART:
        append, parse, source = "append(b []byte)", "parse(in source)", "in"
    else:
        append, parse, source = "Append(b []byte)", "Parse(data []byte)", "newSource(data)"
    comment = "" if message.kind is MessageKind.STREAM_PART else "// {} implements Message.\n"
    used = bool(message.fields)
    yield (
        f"{comment.format('Append')}func ({'in ' if used else ''}*{name}) {append} []byte {{\n"
        f"{_appends(message, codecs)}return b\n}}"
    )
    yield (
        f"{comment.format('Parse')}func ({'out ' if used else ''}*{name}) {parse} error {{\n"
        f"{_cases(message, codecs, source)}\n}}"
    )


def _go_field(message: Message, field: Field) -> str:
    return field.go_name if message.kind is MessageKind.STRUCT else field.pb_go_name


def _appends(message: Message, codecs: GoCodecs) -> str:
    lines = ""
    for field in sorted(message.fields, key=lambda field: field.number):
        value = f"in.{field.go_getter}()" if field.go_getter else f"in.{_go_field(message, field)}"
        if field.conversion.kind is ConversionKind.MESSAGE and not field.conversion.pointer:
            value = f"&{value}"
        lines += codecs.append(field, value) + "\n"
    return lines


def _cases(message: Message, codecs: GoCodecs, source: str) -> str:
    if not message.fields:
        return f"return wellFormed({source})"
    cases = ""
    collected: list[str] = []
    for field in sorted(message.fields, key=lambda field: field.number):
        target = f"out.{_go_field(message, field)}"
        if in_pieces(field.conversion):
            pieces = f"parts[{len(collected)}]"
            statement = f"{pieces}.add(&f)"
            collected.append(codecs.parse_pieces(field, pieces, target) + "\n")
        else:
            statement = codecs.parse(field, target)
        cases += f"case {tag(field.number, field.conversion)}:\n{statement}\n"
    parts = f"var parts [{len(collected)}]pieces\n" if collected else ""
    return (
        f"{parts}f := {source}.fields()\nfor f.next() {{\nswitch f.tag {{\n{cases}}}\n}}\n"
        f"{''.join(collected)}return f.err"
    )


def _wrapped(schema: Schema) -> Mapping[str, Conversion]:
    """Return what travels in wrapper messages, by the stem of its functions."""
    found: dict[str, Conversion] = {}
    for conversion in conversions(schema):
        if not conversion.wrapper or conversion.kind not in {ConversionKind.LIST, ConversionKind.MAP}:
            continue
        stem = wrapper_stem(conversion)
        other = found.setdefault(stem, conversion)
        if other.go_type != conversion.go_type:
            raise UnsupportedTypeError(f"{stem} would be both {other.go_type} and {conversion.go_type}")
    return found


def _wrapper(stem: str, wrapped: Conversion, message: Message, codecs: GoCodecs) -> Iterator[str]:
    inner = dataclasses.replace(wrapped, wrapper="", pointer=False)
    field = dataclasses.replace(message.fields[0], conversion=inner)
    yield (
        f"// append{stem} appends the message that holds a {wrapped.go_type}.\n"
        f"func append{stem}(b []byte, in {wrapped.go_type}) []byte {{\n"
        f"{codecs.append(field, 'in')}\nreturn b\n}}"
    )
    yield (
        f"// parse{stem} is the way back of append{stem}.\n"
        f"func parse{stem}(in source) (out {wrapped.go_type}, err error) {{\n"
        f"f := in.fields()\nfor f.next() {{\nif f.tag == {tag(field.number, inner)} {{\n"
        f"{codecs.parse(field, 'out')}\n}}\n}}\nreturn out, f.err\n}}"
    )


def _tags(schema: Schema) -> Iterator[str]:
    constants = ""
    for name, stem in _HANDWRITTEN.items():
        message = schema.message(name)
        for field in message.fields:
            wire = "varint" if field.proto_name == "go_kind" else ""
            number = f"{field.number}<<3 | {wire}" if wire else tag(field.number, field.conversion)
            constants += f"{stem}{field.pb_go_name} = {number}\n"
        constants += "\n"
    kinds = next(enum for file in schema.files for enum in file.wire_enums if enum.name == "GoKind")
    numbers = "".join(f"{_kind(name)} goKind = {number}\n" for name, number, _ in kinds.members)
    yield "// goKind says which Go type a Value was, where its case leaves that open.\ntype goKind int32"
    yield f"// The numbers of GoKind in value.proto.\nconst (\n{numbers})"
    yield f"// Tags of the messages that are written and read by hand.\nconst (\n{constants})"


def _kind(name: str) -> str:
    """Return the Go name for a member of GoKind: "kindInt8Slice" for "GO_KIND_INT8_SLICE"."""
    return "kind" + name.removeprefix("GO_KIND_").replace("_", " ").title().replace(" ", "")


def _value_cases(schema: Schema) -> Iterator[str]:
    appends, parses = [], []
    for case in schema.value_cases:
        conversion, constant = case.conversion, f"value{case.field.pb_go_name}"
        appends.append(f"case {go_type(conversion)}:")
        if conversion.wrapper:
            stem = wrapper_stem(conversion)
            appends.append(f"return appendWrapped(b, {constant}, value, append{stem}), true")
            parses.append(f"case {constant}:\nreturn anyOf(parse{stem}(in))")
        else:
            stem = schema.message(conversion.message).go_name
            appends.append(f"return appendMessage(b, {constant}, value, Append{stem}), true")
            parses.append(
                f"case {constant}:\nout := new({conversion.go_type})\nreturn out, parse{stem}(in, out)"
            )
    yield (
        "// appendRegistered appends a value of a type registered with gob, and tells whether it is one.\n"
        "func appendRegistered(b []byte, in any) ([]byte, bool) {\nswitch value := in.(type) {\n"
        + "\n".join(appends)
        + "\n}\nreturn b, false\n}"
    )
    yield (
        "// parseRegistered is the way back of appendRegistered.\n"
        "func parseRegistered(tag uint64, in source) (any, error) {\nswitch tag {\n"
        + "\n".join(parses)
        + "\n}\nreturn nil, nil\n}"
    )
    value = schema.message("Value")
    names = [*_VALUE_MESSAGES, *(case.field.proto_name for case in schema.value_cases)]
    constants = ", ".join(f"value{value.field(name).pb_go_name}" for name in names)
    yield (
        "// isValueMessage tells whether a field of Value is a message.\n"
        f"func isValueMessage(tag uint64) bool {{\nswitch tag {{\ncase {constants}:\nreturn true\n}}\n"
        "return false\n}"
    )


def _merges(schema: Schema) -> Iterator[str]:
    """Yield the functions that merge the structs which hooks of MERGED_HOOKS return."""
    wanted = [
        field.conversion.message
        for method in schema.service("Hooks").methods
        if method.go_name in MERGED_HOOKS
        for field in method.results
        if field.role is Role.RESULT
    ]
    done: set[str] = set()
    while wanted:
        name = wanted.pop(0)
        if name in done:
            continue
        done.add(name)
        message = schema.message(name)
        lines = []
        for field in message.fields:
            lines.append(_merge(schema, field))
            if field.conversion.kind is ConversionKind.MESSAGE:
                wanted.append(field.conversion.message)
        yield (
            f"// Merge{message.go_name} sets what an answer has in a {message.go_type}; "
            "the rest stays as it is.\n"
            f"func Merge{message.go_name}(out, answer *{message.go_type}) {{\n" + "\n".join(lines) + "\n}"
        )


def _merge(schema: Schema, field: Field) -> str:
    conversion, out, answer = field.conversion, f"out.{field.go_name}", f"answer.{field.go_name}"
    match conversion.kind:
        case ConversionKind.MESSAGE:
            function = f"Merge{schema.message(conversion.message).go_name}"
            if conversion.pointer:
                return f"mergePointer(&{out}, {answer}, {function})"
            return f"{function}(&{out}, &{answer})"
        case ConversionKind.MAP if not conversion.pointer:
            return f"mergeMap(&{out}, {answer})"
        case ConversionKind.LIST if not conversion.pointer:
            return f"if len({answer}) > 0 {{\n{out} = {answer}\n}}"
        case ConversionKind.TIMESTAMP if not conversion.pointer:
            return f"if !{answer}.IsZero() {{\n{out} = {answer}\n}}"
        case ConversionKind.SCALAR if conversion.is_bytes and not conversion.pointer:
            return f"if len({answer}) > 0 {{\n{out} = {answer}\n}}"
    if conversion.pointer or conversion.kind in {ConversionKind.VALUE, ConversionKind.ERROR}:
        zero = "nil"
    elif conversion.pb_go_type == "bool":
        return f"if {answer} {{\n{out} = {answer}\n}}"
    else:
        zero = '""' if conversion.pb_go_type == "string" else "0"
    return f"if {answer} != {zero} {{\n{out} = {answer}\n}}"
