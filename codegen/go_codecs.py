"""Go statements that append a value's protobuf encoding, and that read it back.

They call the functions of go/internal/convert, and stand within that package.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from codegen.lowered import Conversion, ConversionKind, Schema
from codegen.problems import CodegenError

if TYPE_CHECKING:
    from codegen.lowered import Field

_PLAIN = (ConversionKind.SCALAR, ConversionKind.ENUM)


class UnsupportedTypeError(CodegenError):
    """The contract has a type that these rules do not know."""


def go_type(conversion: Conversion) -> str:
    """Return the Go type of a value: "*model.Post"."""
    return f"{'*' if conversion.pointer else ''}{conversion.go_type}"


def wrapper_stem(conversion: Conversion) -> str:
    """Return the stem of the functions for a wrapper message.

    One wrapper may serve several Go types (a StringList []string and []model.NotificationTarget), so it is
    named after both where they differ.
    """
    inner = conversion.elem
    content = inner.enum if inner is not None and inner.kind is ConversionKind.ENUM else ""
    return f"{content}{conversion.wrapper}"


def in_pieces(conversion: Conversion) -> bool:
    """Return whether a field is one message, which may come in pieces."""
    if conversion.wrapper:
        return True
    return conversion.kind not in (*_PLAIN, ConversionKind.LIST, ConversionKind.MAP)


def tag(number: int, conversion: Conversion) -> str:
    """Return a field's tag as a Go expression."""
    return f"{number}<<3 | {_wire_type(conversion)}"


def _wire_type(conversion: Conversion) -> str:
    if conversion.kind not in _PLAIN:
        return "octets"
    match conversion.pb_go_type:
        case "string" | "[]byte":
            return "octets"
        case "float64":
            return "fixed64"
        case "float32":
            raise UnsupportedTypeError("no codec for float32")
    return "varint"


@dataclass(frozen=True, slots=True)
class GoCodecs:
    """Makes the statements for fields of Go structs."""

    schema: Schema

    def append(self, field: Field, value: str) -> str:
        """Return the statement that appends a field to ``b``."""
        conversion = field.conversion
        function, *more = self._append(conversion)
        if function == "appendInt":
            value = value if conversion.go_type == "uint64" else f"uint64({value})"
        elif function in {"appendText", "appendTextPointer", "appendBool", "appendBoolPointer"}:
            value = _cast(conversion, value)
        return f"b = {function}({', '.join(('b', tag(field.number, conversion), value, *more))})"

    def parse(self, field: Field, target: str) -> str:
        """Return the statement that sets a field from the one that ``f`` has read."""
        conversion = field.conversion
        if conversion.kind in _PLAIN and not conversion.wrapper:
            return f"{target} = {_scalar(conversion)}"
        function, *more = self._parse(conversion)
        return f"{function}({', '.join(('&f', f'&{target}', *more))})"

    def parse_pieces(self, field: Field, pieces: str, target: str) -> str:
        """Return the statement that sets a field for which :func:`in_pieces` is true, at the end."""
        function, *more = self._parse(field.conversion)
        return f"{function}({', '.join(('&f', pieces, f'&{target}', *more))})"

    def _append(self, conversion: Conversion) -> tuple[str, ...]:
        """Return the function that appends such a field, and the one it needs for what is inside."""
        pointer = conversion.pointer
        if conversion.wrapper:
            name = "appendWrappedPointer" if pointer else "appendWrapped"
            return name, f"append{wrapper_stem(conversion)}"
        match conversion.kind:
            case ConversionKind.SCALAR | ConversionKind.ENUM:
                return (_scalar_function(conversion),)
            case ConversionKind.MESSAGE:
                return "appendMessage" if pointer else "appendSetMessage", f"Append{self._stem(conversion)}"
            case ConversionKind.VALUE:
                return ("appendSetValue",)
            case ConversionKind.ERROR:
                return ("appendSetError",)
            case ConversionKind.TIMESTAMP:
                return ("appendWrappedPointer", "appendTime") if pointer else ("appendSetTime",)
            case ConversionKind.LIST:
                return self._of_elements(conversion, "append")
        return self._of_elements(conversion, "append")

    def _parse(self, conversion: Conversion) -> tuple[str, ...]:
        """Return the function that reads such a field, and the one it needs for what is inside."""
        pointer = conversion.pointer
        if conversion.wrapper:
            return "wrappedPointer" if pointer else "wrapped", f"parse{wrapper_stem(conversion)}"
        match conversion.kind:
            case ConversionKind.MESSAGE:
                return "message" if pointer else "structure", f"parse{self._stem(conversion)}"
            case ConversionKind.LIST | ConversionKind.MAP:
                return self._of_elements(conversion, "")
            case ConversionKind.VALUE:
                return ("held",)
        return "wrappedPointer" if pointer else "wrapped", _wrapped_function(conversion, "parse")

    def _of_elements(self, conversion: Conversion, verb: str) -> tuple[str, ...]:
        """Return the function for a list or map, and the one it needs for an element."""
        elem = conversion.elem
        if elem is None:
            raise UnsupportedTypeError(f"{conversion.go_type} does not say of what")
        is_list = conversion.kind is ConversionKind.LIST
        if conversion.key is not None and conversion.key.pb_go_type != "string":
            raise UnsupportedTypeError(f"map with keys of type {conversion.key.go_type}")

        def name(singular: str, plural: str) -> str:
            found = plural if is_list else f"{singular}Map"
            return f"{verb}{found[:1].upper()}{found[1:]}" if verb else found

        if elem.wrapper:
            return name("wrapped", "wrappedList"), f"{verb or 'parse'}{wrapper_stem(elem)}"
        if elem.kind in _PLAIN:
            if elem.pointer or elem.is_bytes:
                raise UnsupportedTypeError(f"list or map of {elem.go_type}")
            if elem.pb_go_type == "string":
                return (name("text", "texts"),)
            if elem.pb_go_type == "bool" and not is_list and not elem.go_named:
                return (name("bool", ""),)
            raise UnsupportedTypeError(f"list or map of {elem.go_type}")
        if elem.kind is ConversionKind.MESSAGE:
            function = f"{'Append' if verb else 'parse'}{self._stem(elem)}"
            return name(*("message", "messages") if elem.pointer else ("struct", "structs")), function
        return name("wrapped", "wrappedList"), _wrapped_function(elem, verb or "parse")

    def _stem(self, conversion: Conversion) -> str:
        return self.schema.message(conversion.message).go_name


def _wrapped_function(conversion: Conversion, verb: str) -> str:
    """Return the function for a value that travels as a message of handwritten rules."""
    match conversion.kind:
        case ConversionKind.VALUE:
            return "AppendValue" if verb == "append" else "parseValue"
        case ConversionKind.ERROR:
            return "AppendError" if verb == "append" else "parseError"
        case ConversionKind.TIMESTAMP:
            return f"{verb}Time"
    raise UnsupportedTypeError(f"no function for {conversion.go_type}")


def _scalar_function(conversion: Conversion) -> str:
    suffix = "Pointer" if conversion.pointer else ""
    match conversion.pb_go_type:
        case "string":
            return f"appendText{suffix}"
        case "bool":
            return f"appendBool{suffix}"
        case "[]byte":
            return "appendOptionalBytes" if conversion.nullable and not suffix else f"appendBytes{suffix}"
        case "float64" if not suffix and not conversion.go_named:
            return "appendDouble"
        case "int32" | "int64" | "uint32" | "uint64":
            return f"appendInt{suffix}"
    raise UnsupportedTypeError(f"no codec for {go_type(conversion)}")


def _cast(conversion: Conversion, value: str) -> str:
    if not conversion.go_named:
        return value
    return (
        f"(*{conversion.pb_go_type})({value})" if conversion.pointer else f"{conversion.pb_go_type}({value})"
    )


def _scalar(conversion: Conversion) -> str:
    """Return the expression for a scalar that ``f`` has read."""
    named, pointer = conversion.go_type, conversion.pointer
    match conversion.pb_go_type:
        case "string":
            if pointer:
                return f"textPointer[{named}](&f)"
            return f"{named}(f.text())" if conversion.go_named else "f.text()"
        case "bool":
            if pointer and not conversion.go_named:
                return "boolPointer(&f)"
            if not pointer:
                return f"{named}(f.value != 0)" if conversion.go_named else "f.value != 0"
        case "[]byte":
            if pointer:
                return "bytesPointer(&f)"
            return "f.setBytes()" if conversion.nullable else "f.bytes()"
        case "float64" if not pointer:
            return "math.Float64frombits(f.value)"
        case "int32" | "int64" | "uint32" | "uint64":
            if pointer:
                return f"intPointer[{named}](&f)"
            return "f.value" if named == "uint64" else f"{named}(f.value)"
    raise UnsupportedTypeError(f"no codec for {go_type(conversion)}")
