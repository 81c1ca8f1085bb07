"""The messages that no Go struct declares: Value, Error and what they are made of."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from codegen.conversions import make_field
from codegen.go_types import parse, render
from codegen.lowered import Conversion, ConversionKind, Message, MessageKind, ValueCase, WireEnum
from codegen.model import TypeExpr, TypeKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from codegen.conversions import Conversions
    from codegen.lowered import Field
    from codegen.model import Model
    from codegen.names import Namer

VALUE_STEM = "value"
ERROR_STEM = "error"

# Registered with gob, but Value has cases of its own for them.
_GENERAL = {"[]any", "map[string]any"}

# Types that gob carries inside an interface without registration, beside the cases' own.
_SCALAR_KINDS = (
    "int",
    "int8",
    "int16",
    "int32",
    "uint",
    "uint8",
    "uint16",
    "uint32",
    "uintptr",
    "float32",
    "complex64",
)
_SLICE_KINDS = (
    "bool", "string", "int", "int8", "int16", "int32", "int64", "uint", "uint16", "uint32", "uint64",
    "uintptr", "float32", "float64", "complex64", "complex128",
)  # fmt: skip


def go_kind() -> WireEnum:
    """Return the enum that says which Go type a Value was, where its case leaves that open."""
    own = "The case's own: bool, int64, uint64, float64, string, []byte, []any, map[string]any, complex128."
    members = [
        ("GO_KIND_UNSPECIFIED", own),
        *((f"GO_KIND_{kind.upper()}", kind) for kind in _SCALAR_KINDS),
        *((f"GO_KIND_{kind.upper()}_SLICE", f"[]{kind}") for kind in _SLICE_KINDS),
        # gob would refuse it; a host that needs no gob may have it all the same.
        ("GO_KIND_STRING_MAP", "map[string]string"),
    ]
    return WireEnum(
        name="GoKind",
        file=VALUE_STEM,
        members=tuple((name, number, doc) for number, (name, doc) in enumerate(members)),
        doc="The exact Go type of a Value, so that it comes back as what it was.",
    )


def value_messages(
    model: Model, conversions: Conversions, namer: Namer
) -> tuple[list[Message], list[ValueCase]]:
    """Return Value and Complex, and Value's cases for types registered with gob."""
    registered = [
        _registered(gob_type.name, gob_type.type, conversions, namer)
        for gob_type in model.gob_types
        if render(gob_type.type) not in _GENERAL
    ]
    fields = [
        make_field("go_kind", _wire_only("GoKind"), doc="The exact Go type, where the case leaves it open."),
        _case("bool_value", conversions.of(parse("bool"))),
        _case("int64_value", conversions.of(parse("int64")), "Any signed integer."),
        _case("uint64_value", conversions.of(parse("uint64")), "Any unsigned integer."),
        _case("double_value", conversions.of(parse("float64")), "Any floating-point number."),
        _case("string_value", conversions.of(parse("string"))),
        _case("bytes_value", conversions.of(parse("[]byte"))),
        _case("list_value", conversions.wrapped(conversions.of(parse("[]any"))), "Any slice."),
        _case("map_value", conversions.wrapped(conversions.of(parse("map[string]any"))), "Any map."),
        _case("time_value", conversions.of(TypeExpr(TypeKind.EXTERNAL, "time.Time"))),
        _case("complex_value", _wire_only("Complex"), "Any complex number."),
        *(case.field for case in registered),
    ]
    value = Message(
        name="Value",
        kind=MessageKind.SUPPORT,
        file="",
        module=VALUE_STEM,
        fields=tuple(fields),
        doc=(
            "What Go's any holds: the types that gob carries inside an interface. No case set is nil.\n"
            "Numbers keep their kind and width, unlike in google.protobuf.Struct."
        ),
    )
    parts = tuple(make_field(name, conversions.of(parse("float64"))) for name in ("real", "imaginary"))
    number = Message(
        "Complex", MessageKind.SUPPORT, file="", module=VALUE_STEM, fields=parts, doc="A complex number."
    )
    return [value, number], registered


def error_message(exceptions: Iterable[str], conversions: Conversions, namer: Namer) -> Message:
    """Return Error, the message for Go's error interface.

    Args:
        exceptions: Go types that stand behind the interface once gob has carried it.
        conversions: Makes the cases.
        namer: Names them.
    """
    fields = []
    for key in exceptions:
        conversion = conversions.of(TypeExpr(TypeKind.POINTER, elem=TypeExpr(TypeKind.NAMED, key)))
        fields.append(_case(namer.snake(conversion.message), conversion))
    return Message(
        name="Error",
        kind=MessageKind.SUPPORT,
        file="",
        module=ERROR_STEM,
        fields=tuple(fields),
        doc=(
            "Go's error. An error of any other Go type travels as ErrorString, whose code tells the errors\n"
            "that Go compares by identity: 1 io.EOF, 2 sql.ErrNoRows, 3 sql.ErrConnDone, 4 sql.ErrTxDone,\n"
            "5 driver.ErrSkip, 6 driver.ErrBadConn, 7 driver.ErrRemoveArgument."
        ),
    )


def _registered(gob_name: str, expr: TypeExpr, conversions: Conversions, namer: Namer) -> ValueCase:
    conversion = conversions.of(expr)
    if conversion.kind in {ConversionKind.LIST, ConversionKind.MAP}:
        conversion = conversions.wrapped(conversion)
    name = namer.snake(conversion.wrapper or conversion.message)
    return ValueCase(_case(name, conversion, f"Registered with gob as {gob_name}."), gob_name, conversion)


def _case(name: str, conversion: Conversion, doc: str = "") -> Field:
    return dataclasses.replace(make_field(name, conversion, doc=doc), oneof="kind")


def _wire_only(proto_type: str) -> Conversion:
    return Conversion(ConversionKind.MESSAGE, "", proto_type, "", message=proto_type)
