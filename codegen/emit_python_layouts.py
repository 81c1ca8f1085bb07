"""Emit `mattermost_plugin/_gen/layouts` and `_gen/method_layouts`: what the compiled codecs go by.

They say the same as `_gen/codecs` and `_gen/methods`, as data. `mattermost_plugin._codec.layouts` says how to
read them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from codegen import header
from codegen.lowered import Conversion, ConversionKind, Field, Message, Method, MethodKind, Schema
from codegen.python_codecs import message_order
from codegen.python_format import format_python
from codegen.python_methods import (
    error_is_value,
    is_hook,
    module_of,
    request_fields,
    result_fields,
    unavailable,
)
from codegen.python_types import models

if TYPE_CHECKING:
    from collections.abc import Iterable

FOLDER = "src/mattermost_plugin/_gen"

_SCALARS = {"string": "s", "bool": "b", "int64": "i", "uint32": "u", "uint64": "U", "bytes": "y"}
_NUMBERS = {"b", "i", "u", "U"}
_OTHER = "o"
_REFUSED = "!"


class _Entry(NamedTuple):
    """A field as the tables have it."""

    number: int
    name: str
    form: str
    reference: str = ""

    def source(self) -> str:
        parts = [repr(self.number), repr(self.name), repr(self.form)]
        if self.reference:
            parts.append(repr(self.reference))
        return f"({', '.join(parts)})"


def emit(schema: Schema) -> dict[str, str]:
    """Return the modules of `mattermost_plugin._gen.layouts` and `mattermost_plugin._gen.method_layouts`."""
    head = header.header(schema, comment="#")
    layouts = _Layouts(schema)
    messages: dict[str, list[Message]] = {}
    for message in models(schema):
        messages.setdefault(message.module, []).append(message)
    methods: dict[str, list[Method]] = {}
    for service in schema.services:
        for method in service.methods:
            if method.kind is MethodKind.UNARY and not method.special and not unavailable(method):
                methods.setdefault(module_of(schema, method), []).append(method)
    files = {
        f"{FOLDER}/layouts/__init__.py": head + '"""The fields of models, by module."""\n',
        f"{FOLDER}/method_layouts/__init__.py": head + '"""What methods send and return, by module."""\n',
    }
    for module, found in messages.items():
        files[f"{FOLDER}/layouts/{module}.py"] = head + layouts.models(module, found)
    for module, listed in methods.items():
        files[f"{FOLDER}/method_layouts/{module}.py"] = head + layouts.methods(listed)
    return format_python(files)


class _Layouts:
    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._messages = {message.name: message for message in schema.messages()}
        self._enums = {enum.name: enum for enum in schema.enums()}

    def models(self, module: str, messages: list[Message]) -> str:
        return "\n".join(
            [
                f'"""The fields of the models of `models.{module}`."""',
                "from __future__ import annotations",
                "",
                "from typing import TYPE_CHECKING",
                "",
                "if TYPE_CHECKING:",
                "    from mattermost_plugin._codec.layouts import Fields",
                "",
                "LAYOUTS: dict[str, Fields] = {",
                *(
                    f"    {message.python_name!r}: {_source(map(self._entry, message_order(message)))},"
                    for message in messages
                ),
                "}",
                "",
            ]
        )

    def methods(self, methods: list[Method]) -> str:
        service = methods[0].service
        return "\n".join(
            [
                f'"""What methods of {service} that deal with the same types send and return."""',
                "from __future__ import annotations",
                "",
                "from mattermost_plugin._codec.layouts import MethodLayout",
                "",
                "METHODS: dict[str, MethodLayout] = {",
                *(f"    {method.python_name!r}: {self._method(method)}," for method in methods),
                "}",
                "",
            ]
        )

    def _method(self, method: Method) -> str:
        returned = result_fields(method)
        results = [self._result(method, field) for field in returned]
        refused = [
            field
            for field in (method.error, method.rejection_reason)
            if field is not None and field not in returned
        ]
        results += [_Entry(field.number, field.proto_name, _REFUSED) for field in refused]
        arguments = map(self._entry, request_fields(self._schema, method))
        has_error = method.error is not None and not error_is_value(method)
        flags = f"has_error={has_error}, complete={not is_hook(method)}"
        return f"MethodLayout({_source(arguments)}, {_source(results)}, {flags})"

    def _result(self, method: Method, field: Field) -> _Entry:
        entry = self._entry(field)
        if not is_hook(method) and entry.form[0] in "[{" and field.conversion.nullable:
            raise ValueError(f"{method.path}: no rule for a list that may be missing")
        return entry

    def _entry(self, field: Field) -> _Entry:
        form, reference = self._form(field.conversion)
        return _Entry(field.number, field.python_name, form, reference)

    def _form(self, conversion: Conversion) -> tuple[str, str]:
        """Return how a value travels, and the model or enum it is."""
        many = {ConversionKind.LIST: "[", ConversionKind.MAP: "{"}.get(conversion.kind, "")
        if conversion.wrapper:
            return ("?" if conversion.nullable else many) + _OTHER, ""
        if not many:
            kind, reference = self._kind(conversion)
            if conversion.nullable:
                return f"?{kind}", reference
            return (f"*{kind}" if kind == "m" and conversion.pointer else kind), reference
        key = conversion.key
        if conversion.elem is None or (key is not None and _SCALARS.get(key.proto_type) != "s"):
            raise ValueError(f"no rule for {conversion.go_type}")
        if conversion.elem.wrapper or (key is not None and key.kind is not ConversionKind.SCALAR):
            return many + _OTHER, ""
        kind, reference = self._kind(conversion.elem)
        if many == "[" and kind in _NUMBERS:
            return many + _OTHER, ""  # protobuf packs them
        return many + kind, reference

    def _kind(self, conversion: Conversion) -> tuple[str, str]:
        match conversion.kind:
            case ConversionKind.SCALAR:
                return _SCALARS[conversion.proto_type], ""
            case ConversionKind.ENUM:
                return "e", f"{self._enums[conversion.enum].module}/{conversion.enum}"
            case ConversionKind.VALUE:
                return "v", ""
            case ConversionKind.MESSAGE:
                target = self._messages[conversion.message]
                if target.is_exception:
                    return _OTHER, ""
                return "m", f"{target.module}/{target.python_name}"
            case _:
                return _OTHER, ""


def _source(entries: Iterable[_Entry]) -> str:
    return f"({''.join(f'{entry.source()}, ' for entry in entries)})"
