"""Source of the conversions between the fields of protobuf messages and Python values.

Straight-line code for every field, because a call per field would double the cost of a small message.
"""

from __future__ import annotations

import dataclasses

from codegen.lowered import Conversion, ConversionKind, Field, Message, Schema
from codegen.python_types import attribute

CODECS = "mattermost_plugin._gen.codecs"
CORE = "mattermost_plugin._codec"

# Hand-written conversions: what the generated code calls them -> their module.
_SPECIAL = {
    "decode_value": "values_special",
    "put_value": "values_special",
    "put_value_list": "values_special",
    "put_value_map": "values_special",
    "encode_value": "values_special",
    "ZERO_TIME": "timestamps",
    "decode_timestamp": "timestamps",
    "encode_timestamp": "timestamps",
    "decode_error": "errors_special",
    "put_error": "errors_special",
    "checked_list": "containers",
    "checked_dict": "containers",
    "head_of": "parts",
    "pack_head": "parts",
}

_UNSET = {"str": '!= ""', "int": "!= 0", "bool": "is not False", "bytes": '!= b""'}


class Names:
    """Collects what a module of generated code has to import or link."""

    def __init__(self, schema: Schema, module: str) -> None:
        self.schema = schema
        self.module = module
        self.messages = {message.name: message for message in schema.messages()}
        self.special: set[str] = set()
        self.linked: set[str] = set()  # names of messages whose codecs are in another module
        self.directions: dict[str, set[str]] = {}
        self.enums: set[str] = set()

    def use(self, function: str) -> str:
        """Note the use of a hand-written function and return its name."""
        self.special.add(function)
        return function

    def codec(self, direction: str, message: str) -> str:
        """Note the use of a message's codec and return its name."""
        target = self.messages[message]
        if target.is_exception:
            self.special.add(f"{direction}_{target.function_name}")
        elif target.module != self.module:
            self.linked.add(message)
            self.directions.setdefault(message, set()).add(direction)
        return f"{direction}_{target.function_name}"

    def enum(self, name: str) -> str:
        """Note the use of an enum and return the name of the mapping that makes its values."""
        self.enums.add(name)
        return f"_{name}"

    def special_imports(self) -> dict[str, set[str]]:
        """Return module -> names of the hand-written functions in use."""
        found: dict[str, set[str]] = {}
        for function in self.special:
            module = _SPECIAL.get(function, "errors_special")
            found.setdefault(f"{CORE}.{module}", set()).add(function)
        return found

    def wrapped(self, conversion: Conversion) -> tuple[str, Conversion]:
        """Return the attribute of a wrapper that holds its content, and the content's conversion."""
        wrapper = self.messages[conversion.wrapper]
        return attribute(wrapper.fields[0]), dataclasses.replace(conversion, wrapper="", nullable=False)


def decode_field(names: Names, field: Field, message: str = "m") -> tuple[list[str], str]:
    """Return statements that prepare, and the expression for, a field's value in Python.

    Args:
        names: Gathers what the code needs.
        field: The field.
        message: The expression for the protobuf message.
    """
    name = attribute(field)
    source = f"{message}.{name}"
    conversion = field.conversion
    present = f'has("{name}")'
    if conversion.wrapper:
        inner, content = names.wrapped(conversion)
        value = _container(names, content, f"{source}.{inner}")
        return [], f"{value} if {present} else None" if conversion.nullable else value
    if conversion.kind in {ConversionKind.LIST, ConversionKind.MAP}:
        empty = "[]" if conversion.kind is ConversionKind.LIST else "{}"
        return [f"x = {source}"], f"{_container(names, conversion, 'x')} if x else {empty}"
    value = _single(names, conversion, source)
    if conversion.kind is ConversionKind.VALUE:
        return [], value
    absent_is_none = conversion.nullable or (
        conversion.kind in {ConversionKind.MESSAGE, ConversionKind.ERROR} and conversion.pointer
    )
    if conversion.kind is ConversionKind.TIMESTAMP and not conversion.nullable:
        return [], f"{value} if {present} else {names.use('ZERO_TIME')}"
    return [], f"{value} if {present} else None" if absent_is_none else value


def needs_presence(field: Field) -> bool:
    """Whether the expression of `decode_field` uses `has`."""
    conversion = field.conversion
    if conversion.kind is ConversionKind.VALUE:
        return False
    if conversion.kind is ConversionKind.TIMESTAMP or conversion.nullable:
        return True
    return conversion.pointer and conversion.kind in {ConversionKind.MESSAGE, ConversionKind.ERROR}


def _single(names: Names, conversion: Conversion, source: str) -> str:
    match conversion.kind:
        case ConversionKind.SCALAR:
            return source
        case ConversionKind.ENUM:
            return f"{names.enum(conversion.enum)}[{source}]"
        case ConversionKind.MESSAGE:
            return f"{names.codec('decode', conversion.message)}({source})"
        case ConversionKind.VALUE:
            return f"{names.use('decode_value')}({source})"
        case ConversionKind.TIMESTAMP:
            return f"{names.use('decode_timestamp')}({source})"
        case ConversionKind.ERROR:
            return f"{names.use('decode_error')}({source})"
        case _:
            raise ValueError(f"{conversion.kind} is no single value")


def _element(names: Names, conversion: Conversion, source: str) -> str:
    if conversion.wrapper:
        inner, content = names.wrapped(conversion)
        return _container(names, content, f"{source}.{inner}")
    return _single(names, conversion, source)


def _container(names: Names, conversion: Conversion, source: str) -> str:
    if conversion.elem is None:
        raise ValueError(f"{conversion.go_type} has no elements")
    plain = conversion.elem.kind is ConversionKind.SCALAR and not conversion.elem.wrapper
    if conversion.kind is ConversionKind.LIST:
        if plain:
            return f"[*{source}]"
        return f"[{_element(names, conversion.elem, 'e')} for e in {source}]"
    if conversion.key is None:
        raise ValueError(f"{conversion.go_type} has no keys")
    if plain and conversion.key.kind is ConversionKind.SCALAR:
        return f"dict({source})"
    key = _single(names, conversion.key, "k")
    return f"{{{key}: {_element(names, conversion.elem, 'e')} for k, e in {source}.items()}}"


def encode_field(names: Names, field: Field, value: str, place: str, message: str = "m") -> list[str]:
    """Return the statements that store a Python value in a field.

    Args:
        names: Gathers what the code needs.
        field: The field.
        value: The expression for the value.
        place: What an error about an `any` calls it, such as `Post.props`.
        message: The expression for the protobuf message.
    """
    conversion = field.conversion
    target = f"{message}.{attribute(field)}"
    optional = conversion.nullable
    if conversion.wrapper:
        inner, content = names.wrapped(conversion)
        body = [f"s = {target}", "s.SetInParent()"]
        body += _put_container(names, content, "v", f"s.{inner}", place, 1)
        condition = "v is not None" if optional else "v"
        return [f"v = {value}", f"if {condition}:", *_indent(body)]
    match conversion.kind:
        case ConversionKind.LIST | ConversionKind.MAP:
            body = _put_container(names, conversion, "v", target, place)
            return [f"v = {value}", "if v:", *_indent(body)]
        case ConversionKind.SCALAR | ConversionKind.ENUM:
            if optional:
                return [f"v = {value}", "if v is not None:", f"    {target} = v"]
            unset = _UNSET.get("str" if conversion.kind is ConversionKind.ENUM else conversion.python_type)
            if unset is None:
                return [f"{target} = {value}"]
            return [f"v = {value}", f"if v {unset}:", f"    {target} = v"]
        case ConversionKind.VALUE:
            return [
                f"v = {value}",
                "if v is not None:",
                f"    {target} = {names.use('put_value')}(v, {place!r})",
            ]
        case _:
            put = _put_single(names, conversion, "v" if optional else value, target)
            if optional:
                return [f"v = {value}", "if v is not None:", *_indent(put)]
            return put


def _put_single(names: Names, conversion: Conversion, value: str, target: str) -> list[str]:
    """Store a value in a message that exists or comes to be when it is named."""
    match conversion.kind:
        case ConversionKind.MESSAGE:
            function = names.codec("encode", conversion.message)
            return [f"s = {target}", "s.SetInParent()", f"{function}({value}, s)"]
        case ConversionKind.TIMESTAMP:
            return [f"{names.use('encode_timestamp')}({value}, {target})"]
        case ConversionKind.ERROR:
            return [f"{names.use('put_error')}({value}, {target})"]
        case _:
            raise ValueError(f"{conversion.kind} is no message")


def _put_container(
    names: Names, conversion: Conversion, value: str, target: str, place: str, depth: int = 0
) -> list[str]:
    """Store a list or dict; `target` is evaluated once, `depth` keeps the variables of nested loops apart."""
    if conversion.elem is None:
        raise ValueError(f"{conversion.go_type} has no elements")
    put = _put_list if conversion.kind is ConversionKind.LIST else _put_map
    return put(names, conversion.elem, value, target, place, depth)


def _put_list(names: Names, elem: Conversion, value: str, target: str, place: str, depth: int) -> list[str]:
    add, item = f"add{depth or ''}", f"e{depth or ''}"
    if elem.kind is ConversionKind.VALUE and not elem.wrapper:
        return [f"{names.use('put_value_list')}({target}, {value}, {place!r})"]
    checked = f"{names.use('checked_list')}({value})"
    if elem.kind in {ConversionKind.SCALAR, ConversionKind.ENUM} and not elem.wrapper:
        return [f"{target}.extend({checked})"]
    if elem.wrapper:
        inner, content = names.wrapped(elem)
        body = _put_container(names, content, item, f"{add}().{inner}", place, depth + 1)
    elif elem.kind is ConversionKind.MESSAGE:
        body = [f"{names.codec('encode', elem.message)}({item}, {add}())"]
    else:
        raise ValueError(f"{place}: no rule for a list of {elem.kind}")
    return [f"{add} = {target}.add", f"for {item} in {checked}:", *_indent(body)]


def _put_map(names: Names, elem: Conversion, value: str, target: str, place: str, depth: int) -> list[str]:
    entries, key, item = (f"{name}{depth or ''}" for name in ("t", "k", "e"))
    if elem.kind is ConversionKind.VALUE and not elem.wrapper:
        return [f"{names.use('put_value_map')}({target}, {value}, {place!r})"]
    checked = f"{names.use('checked_dict')}({value})"
    if elem.wrapper:
        inner, content = names.wrapped(elem)
        holder = f"s{depth or ''}"
        body = [f"{holder} = {entries}[{key}]", f"{holder}.SetInParent()"]
        body += _put_container(names, content, item, f"{holder}.{inner}", place, depth + 1)
    elif elem.kind in {ConversionKind.SCALAR, ConversionKind.ENUM}:
        body = [f"{entries}[{key}] = {item}"]
    elif elem.kind is ConversionKind.MESSAGE:
        body = [f"{names.codec('encode', elem.message)}({item}, {entries}[{key}])"]
    else:
        raise ValueError(f"{place}: no rule for a map of {elem.kind}")
    return [f"{entries} = {target}", f"for {key}, {item} in {checked}.items():", *_indent(body)]


def _indent(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def message_order(message: Message) -> tuple[Field, ...]:
    """Return a message's fields in the order of their numbers."""
    return tuple(sorted(message.fields, key=lambda field: field.number))
