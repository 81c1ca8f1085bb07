"""Decides for every Go type how it crosses into protobuf and Python."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from codegen.go_types import render
from codegen.lowered import (
    Cardinality,
    Conversion,
    ConversionKind,
    Field,
    Message,
    MessageKind,
)
from codegen.model import Model, TypeDecl, TypeExpr, TypeKind
from codegen.problems import CodegenError

if TYPE_CHECKING:
    from codegen.overrides import Overrides

# Go basic type -> protobuf type, the Go type of the protobuf field, Python type.
_SCALARS = {
    "string": ("string", "string", "str"),
    "bool": ("bool", "bool", "bool"),
    "int": ("int64", "int64", "int"),
    "int8": ("int32", "int32", "int"),
    "int16": ("int32", "int32", "int"),
    "int32": ("int32", "int32", "int"),
    "int64": ("int64", "int64", "int"),
    "uint": ("uint64", "uint64", "int"),
    "uint8": ("uint32", "uint32", "int"),
    "uint16": ("uint32", "uint32", "int"),
    "uint32": ("uint32", "uint32", "int"),
    "uint64": ("uint64", "uint64", "int"),
    "float32": ("float", "float32", "float"),
    "float64": ("double", "float64", "float"),
}

WRAPPER_STEM = "wrapper"
"""File of the wrappers around scalars; a message's wrappers stand beside it."""


class UnsupportedTypeError(CodegenError):
    """The contract contains a type that no rule covers."""


class Conversions:
    """Makes conversions, and the wrapper messages they turn out to need."""

    def __init__(self, model: Model, overrides: Overrides) -> None:
        self._decls = {decl.key: decl for decl in model.types}
        self._overrides = overrides
        self.wrappers: dict[str, Message] = {}

    def message_name(self, decl: TypeDecl) -> str:
        """Return the name of the message and Python class for a declared type."""
        package = decl.key.partition(".")[0]
        prefix = self._overrides.type_prefix(package)
        return self._overrides.type_name(decl.key) or prefix + decl.name

    def python_name(self, decl: TypeDecl) -> str:
        """Return the name of the Python class for a declared type."""
        return self._overrides.exception(decl.key) or self.message_name(decl)

    def of(self, expr: TypeExpr, *, nullable: bool | None = None) -> Conversion:
        """Return the conversion of a Go type.

        Args:
            expr: The type.
            nullable: Whether None is a value in Python; None decides by Go's rule, that a pointer may be
                nil.
        """
        pointer = False
        if expr.kind is TypeKind.POINTER and expr.elem is not None:
            pointer = True
            expr = expr.elem
        conversion = self._plain(expr)
        if conversion.kind is ConversionKind.ERROR:
            pointer, nullable = False, True
        if nullable and not (pointer or conversion.is_bytes or conversion.kind is ConversionKind.ERROR):
            raise UnsupportedTypeError(f"{render(expr)} cannot be None: neither a pointer nor []byte")
        if pointer and conversion.kind in {ConversionKind.LIST, ConversionKind.MAP}:
            conversion = self.wrapped(conversion)
        return dataclasses.replace(
            conversion, pointer=pointer, nullable=pointer if nullable is None else nullable
        )

    def _plain(self, expr: TypeExpr) -> Conversion:
        match expr.kind:
            case TypeKind.BASIC if expr.name in _SCALARS:
                return self._scalar(expr.name, expr.name)
            case TypeKind.ANY:
                return Conversion(ConversionKind.VALUE, "any", "Value", "Any")
            case TypeKind.ERROR:
                return Conversion(ConversionKind.ERROR, "error", "Error", "Exception")
            case TypeKind.EXTERNAL if expr.name == "time.Time":
                return Conversion(
                    ConversionKind.TIMESTAMP, "time.Time", "google.protobuf.Timestamp", "datetime.datetime"
                )
            case TypeKind.NAMED:
                return self._named(self._decls[expr.name])
            case TypeKind.SLICE if expr.elem is not None:
                return self._slice(expr, expr.elem)
            case TypeKind.MAP if expr.key is not None and expr.elem is not None:
                return self._map(expr, expr.key, expr.elem)
        raise UnsupportedTypeError(f"no rule for the Go type {render(expr)}")

    def _scalar(self, go_type: str, basic: str) -> Conversion:
        proto, pb_go, python = _SCALARS[basic]
        return Conversion(
            ConversionKind.SCALAR, go_type, proto, python, pb_go_type=pb_go, go_named=go_type != pb_go
        )

    def _named(self, decl: TypeDecl) -> Conversion:
        name = self.message_name(decl)
        if decl.is_struct:
            return Conversion(ConversionKind.MESSAGE, decl.key, name, self.python_name(decl), message=name)
        underlying = decl.underlying
        if underlying is None:
            raise UnsupportedTypeError(f"{decl.key} is neither a struct nor has an underlying type")
        if underlying.kind is TypeKind.BASIC and underlying.name in _SCALARS:
            conversion = self._scalar(decl.key, underlying.name)
            if is_open_enum(decl):
                return dataclasses.replace(conversion, kind=ConversionKind.ENUM, python_type=name, enum=name)
            return conversion
        return dataclasses.replace(self._plain(underlying), go_type=decl.key, go_named=True)

    def _slice(self, expr: TypeExpr, elem: TypeExpr) -> Conversion:
        if elem.kind is TypeKind.BASIC and elem.name in {"byte", "uint8"}:
            return Conversion(ConversionKind.SCALAR, "[]byte", "bytes", "bytes", pb_go_type="[]byte")
        inner = self._element(elem)
        return Conversion(
            ConversionKind.LIST,
            render(expr),
            inner.proto_type,
            f"list[{inner.python_annotation}]",
            elem=inner,
        )

    def _map(self, expr: TypeExpr, key: TypeExpr, elem: TypeExpr) -> Conversion:
        key_conversion = self._plain(key)
        if key_conversion.kind not in {ConversionKind.SCALAR, ConversionKind.ENUM}:
            raise UnsupportedTypeError(f"{render(expr)}: protobuf has no maps with such keys")
        inner = self._element(elem)
        return Conversion(
            ConversionKind.MAP,
            render(expr),
            f"map<{key_conversion.proto_type}, {inner.proto_type}>",
            f"dict[{key_conversion.python_type}, {inner.python_annotation}]",
            key=key_conversion,
            elem=inner,
        )

    def _element(self, expr: TypeExpr) -> Conversion:
        """Return the conversion of what a slice or map holds; gob refuses nil pointers there."""
        conversion = self.of(expr, nullable=False)
        if conversion.kind in {ConversionKind.LIST, ConversionKind.MAP} and not conversion.wrapper:
            return self.wrapped(conversion)
        return conversion

    def wrapped(self, conversion: Conversion) -> Conversion:
        """Put a list or map into a message of its own, which is made unless it exists."""
        if conversion.elem is None:
            raise UnsupportedTypeError(f"{conversion.go_type} cannot be wrapped")
        is_list = conversion.kind is ConversionKind.LIST
        key = "" if conversion.key is None else _title(conversion.key.proto_type)
        content = conversion.elem.wrapper or _title(conversion.elem.proto_type.rpartition(".")[2])
        name = f"{content}List" if is_list else f"{'' if key == 'String' else key}{content}Map"
        if name not in self.wrappers:
            self.wrappers[name] = Message(
                name=name,
                kind=MessageKind.WRAPPER,
                file="",
                module="",
                fields=(make_field("items" if is_list else "entries", conversion),),
                doc="What protobuf can neither nest nor leave out unless it is a message.",
            )
        return dataclasses.replace(conversion, wrapper=name, proto_type=name)


def is_open_enum(decl: TypeDecl) -> bool:
    """Whether a declared type is a string with known values."""
    underlying = decl.underlying
    return (
        underlying is not None
        and underlying.kind is TypeKind.BASIC
        and underlying.name == "string"
        and bool(decl.constants)
    )


def cardinality(conversion: Conversion) -> Cardinality:
    """Return how a field with that conversion is declared."""
    if conversion.wrapper:
        return Cardinality.SINGULAR
    match conversion.kind:
        case ConversionKind.LIST:
            return Cardinality.REPEATED
        case ConversionKind.MAP:
            return Cardinality.MAP
        case ConversionKind.SCALAR | ConversionKind.ENUM if conversion.pointer or conversion.nullable:
            return Cardinality.OPTIONAL
    return Cardinality.SINGULAR


def make_field(proto_name: str, conversion: Conversion, *, go_name: str = "", doc: str = "") -> Field:
    """Return a field whose number and names in generated code are still to be given."""
    return Field(
        proto_name=proto_name,
        number=0,
        conversion=conversion,
        cardinality=cardinality(conversion),
        python_name="",
        pb_go_name="",
        go_name=go_name,
        doc=doc,
    )


def _title(name: str) -> str:
    return name[:1].upper() + name[1:]
