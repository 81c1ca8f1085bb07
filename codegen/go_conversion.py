"""Go expressions that take a value from its Go type to its protobuf type and back.

They call the helpers of go/internal/convert; ``prefix`` is how the package is called where they are used:
"" within it, "convert." elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from codegen.lowered import Conversion, ConversionKind, Schema


class UnsupportedTypeError(Exception):
    """The contract has a type that these rules do not know."""


@dataclass(frozen=True, slots=True)
class GoConversion:
    """Makes the expressions for one package."""

    schema: Schema
    prefix: str = ""

    def to_proto(self, conversion: Conversion, value: str) -> str:
        """Return the expression for a value; that of a struct which is no pointer must be addressable."""
        if conversion.wrapper:
            return f"{self._wrapper_function(conversion)}ToProto({value})"
        match conversion.kind:
            case ConversionKind.SCALAR | ConversionKind.ENUM:
                return self._scalar(conversion, value, conversion.pb_go_type, to_proto=True)
            case ConversionKind.MESSAGE:
                reference = "" if conversion.pointer else "&"
                return f"{self._stem(conversion)}ToProto({reference}{value})"
            case ConversionKind.LIST:
                if self._same_elements(conversion):
                    return value
                return self._list(conversion, value, "ToProto")
            case ConversionKind.MAP:
                if self._same_elements(conversion):
                    return value
                return self._map(conversion, value, "ToProto")
        return f"{self.function(conversion, 'ToProto')}({value})"

    def from_proto(self, conversion: Conversion, value: str) -> str:
        """Return the expression for a value that is not a struct within a struct (see :meth:`into`)."""
        if conversion.wrapper:
            return f"{self._wrapper_function(conversion)}FromProto({value})"
        match conversion.kind:
            case ConversionKind.SCALAR | ConversionKind.ENUM:
                return self._scalar(conversion, value, conversion.go_type, to_proto=False)
            case ConversionKind.MESSAGE:
                made = f"{self._stem(conversion)}FromProto({value})"
                return made if conversion.pointer else f"{self.prefix}Deref({made})"
            case ConversionKind.LIST:
                if self._same_elements(conversion):
                    return value
                return self._list(conversion, value, "FromProto")
            case ConversionKind.MAP:
                if self._same_elements(conversion):
                    return value
                return self._map(conversion, value, "FromProto")
        return f"{self.function(conversion, 'FromProto')}({value})"

    def into(self, conversion: Conversion) -> str:
        """Return the function that fills a struct in place: func(*T, *pluginpb.T)."""
        return f"{self._stem(conversion)}Into"

    def function(self, conversion: Conversion, direction: str) -> str:
        """Return the function that converts a value of this type: "PostToProto" for direction "ToProto"."""
        if conversion.wrapper:
            return f"{self._wrapper_function(conversion)}{direction}"
        match conversion.kind:
            case ConversionKind.MESSAGE:
                return f"{self._stem(conversion)}{direction}"
            case ConversionKind.VALUE:
                return f"{self.prefix}Value{direction}"
            case ConversionKind.ERROR:
                return f"{self.prefix}Error{direction}"
            case ConversionKind.TIMESTAMP:
                return f"{self.prefix}{'TimePointer' if conversion.pointer else 'Time'}{direction}"
        raise UnsupportedTypeError(f"no function converts {conversion.go_type}")

    def _stem(self, conversion: Conversion) -> str:
        return f"{self.prefix}{self.schema.message(conversion.message).go_name}"

    def _wrapper_function(self, conversion: Conversion) -> str:
        return f"{self.prefix}{wrapper_stem(conversion)}"

    def _scalar(self, conversion: Conversion, value: str, target: str, *, to_proto: bool) -> str:
        if conversion.is_bytes:
            if conversion.pointer:
                return f"{self.prefix}BytesPointer{'To' if to_proto else 'From'}Proto({value})"
            return value  # named or not, a slice of bytes is assignable to the other
        if not conversion.go_named:
            return value
        if not conversion.pointer:
            return f"{target}({value})"
        if conversion.pb_go_type in ("string", "bool"):
            return f"(*{target})({value})"  # the same memory under another name
        return f"{self.prefix}CastPointer[{target}]({value})"

    @staticmethod
    def _same_elements(conversion: Conversion) -> bool:
        """Whether the Go list or map is assignable to the protobuf field as it is, and back."""
        parts = [part for part in (conversion.key, conversion.elem) if part is not None]
        return all(
            part.kind is ConversionKind.SCALAR
            and not part.wrapper
            and not part.pointer
            and not (part.go_named and not part.is_bytes)
            for part in parts
        )

    def _list(self, conversion: Conversion, value: str, direction: str) -> str:
        elem = _required(conversion.elem, conversion)
        if elem.kind in (ConversionKind.SCALAR, ConversionKind.ENUM) and not elem.wrapper:
            if elem.pointer or elem.pb_go_type != "string":
                raise UnsupportedTypeError(f"list of {elem.go_type}")
            target = elem.pb_go_type if direction == "ToProto" else elem.go_type
            return f"{self.prefix}CastStrings[{target}]({value})"
        suffix, function = self._manner(elem, direction)
        return f"{self.prefix}List{suffix}({value}, {function})"

    def _map(self, conversion: Conversion, value: str, direction: str) -> str:
        key, elem = _required(conversion.key, conversion), _required(conversion.elem, conversion)
        if key.pb_go_type != "string":
            raise UnsupportedTypeError(f"map with keys of type {key.go_type}")
        if elem.kind in (ConversionKind.SCALAR, ConversionKind.ENUM) and not elem.wrapper:
            raise UnsupportedTypeError(f"map of {elem.go_type}")
        key_type = "string" if direction == "ToProto" else key.go_type
        suffix, function = self._manner(elem, direction)
        return f"{self.prefix}Map{suffix}[{key_type}]({value}, {function})"

    def _manner(self, elem: Conversion, direction: str) -> tuple[str, str]:
        """Return the suffix of the helper for such elements, and the function it needs for one of them."""
        by_value = elem.kind is ConversionKind.MESSAGE and not elem.pointer and not elem.wrapper
        if elem.kind is ConversionKind.VALUE and not elem.wrapper and direction == "ToProto":
            return "Of", f"{self.prefix}ValueElementToProto"
        if not by_value:
            return "Of", self.function(elem, direction)
        if direction == "ToProto":
            return "OfRefs", f"{self._stem(elem)}ToProto"
        return "Into", self.into(elem)


def wrapper_stem(conversion: Conversion) -> str:
    """Return the stem of the functions that map a wrapper message.

    One wrapper may serve several Go types (a StringList []string and []model.NotificationTarget), so it is
    named after both where they differ.
    """
    inner = conversion.elem
    content = inner.enum if inner is not None and inner.kind is ConversionKind.ENUM else ""
    return f"{content}{conversion.wrapper}{'Pointer' if conversion.pointer else ''}"


def _required(part: Conversion | None, whole: Conversion) -> Conversion:
    if part is None:
        raise UnsupportedTypeError(f"{whole.go_type} does not say of what")
    return part
