"""Turns the extracted model into the lowered schema."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from codegen import support
from codegen.conversions import WRAPPER_STEM, Conversions, is_open_enum, make_field
from codegen.lower_methods import LoweredService, MethodLowering
from codegen.lowered import (
    Cardinality,
    ConversionKind,
    EnumMember,
    Field,
    Message,
    MessageKind,
    OpenEnum,
    ProtoFile,
    Schema,
    Service,
)
from codegen.names import Namer, go_camel_case, pb_go_fields, python_identifier
from codegen.problems import CodegenError
from codegen.proto_files import merge_cycles, message_references

if TYPE_CHECKING:
    from codegen.model import Model, TypeDecl
    from codegen.numbers import NumbersLock
    from codegen.overrides import Overrides


class NameClashError(CodegenError):
    """Two things would get the same name."""


def lower(model: Model, overrides: Overrides, lock: NumbersLock) -> Schema:
    """Decide everything: names, types, numbers, files.

    The lock gains what is new; it raises BreakingChangeError if something it knows changed.
    """
    return _Lowering(model, overrides, lock).schema()


class _Lowering:
    def __init__(self, model: Model, overrides: Overrides, lock: NumbersLock) -> None:
        self._model = model
        self._overrides = overrides
        self._lock = lock
        self._namer = Namer(overrides.words, overrides.names)
        self._conversions = Conversions(model, overrides)

    def schema(self) -> Schema:
        structs = [self._struct(decl) for decl in self._model.types if decl.is_struct]
        enums = [self._enum(decl) for decl in self._model.types if is_open_enum(decl)]
        values, value_cases = support.value_messages(self._model, self._conversions, self._namer)
        errors = support.error_message(self._overrides.exceptions, self._conversions, self._namer)
        modules = {message.name: message.module for message in (*structs, *values, errors)}
        services = [
            MethodLowering(interface, self._conversions, self._namer, self._overrides, modules).lower()
            for interface in self._model.interfaces
        ]
        messages = [*structs, *values, errors, *(item for service in services for item in service.messages)]
        messages += self._wrappers(modules)
        _refuse_clashes(messages, enums)
        messages = [self._finish(message) for message in messages]
        files = self._files(messages, enums, services)
        final = {message.name: message for file in files for message in file.messages}
        finished = tuple(self._service_fields(service, final) for service in services)
        self._overrides.check_used()
        self._lock.finish()
        return Schema(
            module=self._model.module,
            version=self._model.version,
            go_packages=self._model.packages,
            files=files,
            services=finished,
            value_cases=tuple(
                dataclasses.replace(case, field=final["Value"].field(case.field.proto_name))
                for case in value_cases
            ),
        )

    def _module(self, decl: TypeDecl) -> str:
        base = decl.file.rpartition("/")[2].removesuffix(".go")
        return self._overrides.file_stem(decl.file) or base

    def _struct(self, decl: TypeDecl) -> Message:
        name = self._conversions.message_name(decl)
        fields = tuple(
            dataclasses.replace(
                make_field(
                    self._namer.snake(item.name),
                    self._conversions.of(item.type),
                    go_name=item.name,
                    doc=self._overrides.doc(f"{decl.key}.{item.name}", item.doc),
                ),
                embedded=item.embedded,
                json_name=item.json_name,
                go_getter=self._overrides.go_getter(f"{decl.key}.{item.name}"),
            )
            for item in decl.fields
        )
        return Message(
            name=name,
            kind=MessageKind.STRUCT,
            file="",
            module=self._module(decl),
            fields=fields,
            doc=decl.doc,
            go_type=decl.key,
            go_name=name,
            go_aliases=decl.aliases,
            omitted={item.name: item.reason for item in decl.omitted},
            python_name=self._conversions.python_name(decl),
            is_exception=bool(self._overrides.exception(decl.key)),
        )

    def _enum(self, decl: TypeDecl) -> OpenEnum:
        names = self._namer.members(decl.name, [constant.name for constant in decl.constants])
        members = tuple(
            EnumMember(python_identifier(name), constant.name, str(constant.value), constant.doc)
            for name, constant in zip(names, decl.constants, strict=True)
        )
        name = self._conversions.message_name(decl)
        return OpenEnum(name, decl.key, file="", module=self._module(decl), members=members, doc=decl.doc)

    def _wrappers(self, modules: dict[str, str]) -> list[Message]:
        """Place each wrapper beside what it wraps."""
        placed: dict[str, str] = {}

        def module_of(name: str) -> str:
            if name not in placed:
                wrapper = self._conversions.wrappers[name]
                references = message_references(wrapper)
                target = next(iter(references), "")
                inside = target in self._conversions.wrappers
                placed[name] = module_of(target) if inside else modules.get(target, WRAPPER_STEM)
            return placed[name]

        return [
            dataclasses.replace(wrapper, module=module_of(name))
            for name, wrapper in sorted(self._conversions.wrappers.items())
        ]

    def _finish(self, message: Message) -> Message:
        """Give a message its numbers and the names used in generated code."""
        numbers = self._lock.assign(
            message.name, ((field.proto_name, _locked_type(field)) for field in message.fields)
        )
        if len(numbers) != len(message.fields):
            raise NameClashError(f"{message.name}: two fields have the same name")
        pb_go_name = go_camel_case(message.name)
        go_fields, _ = pb_go_fields((field.proto_name, field.oneof) for field in message.fields)
        fields = tuple(
            dataclasses.replace(
                field,
                number=numbers[field.proto_name],
                python_name=python_identifier(field.proto_name),
                pb_go_name=go_name,
                oneof_pb_go_type=f"{pb_go_name}_{go_name}" if field.oneof else "",
            )
            for field, go_name in zip(message.fields, go_fields, strict=True)
        )
        removed = self._lock.removed(message.name)
        return dataclasses.replace(
            message,
            fields=fields,
            pb_go_name=pb_go_name,
            python_name=message.python_name or message.name,
            function_name=self._namer.snake(message.name),
            reserved_numbers=tuple(sorted(removed.values())),
            reserved_names=tuple(sorted(removed)),
        )

    def _service_fields(self, lowered: LoweredService, messages: dict[str, Message]) -> Service:
        """Repeat a service with the finished fields in its methods."""
        methods = []
        for method in lowered.service.methods:
            request = messages[method.request_stream.head if method.request_stream else method.request]
            response = messages[method.response_stream.head if method.response_stream else method.response]
            methods.append(
                dataclasses.replace(
                    method,
                    params=tuple(request.field(field.proto_name) for field in method.params),
                    results=tuple(response.field(field.proto_name) for field in method.results),
                )
            )
        self._lock.fix(
            lowered.service.name,
            {item.go_name: (0, f"{item.kind.value}: {item.request} -> {item.response}") for item in methods},
        )
        return dataclasses.replace(lowered.service, methods=tuple(methods))

    def _files(
        self, messages: list[Message], enums: list[OpenEnum], services: list[LoweredService]
    ) -> tuple[ProtoFile, ...]:
        wire_enum = support.go_kind()
        self._lock.fix(wire_enum.name, {name: (number, "value") for name, number, _ in wire_enum.members})
        modules = {message.name: message.module for message in messages}
        modules[wire_enum.name] = wire_enum.file
        needs: dict[str, set[str]] = {enum.module: set() for enum in enums}
        for message in messages:
            needs.setdefault(message.module, set()).update(
                modules[name] for name in message_references(message) if name in modules
            )
        serving: dict[str, str] = {}
        for lowered in services:
            stem = lowered.service.name.lower()
            serving[stem] = lowered.service.name
            needs.setdefault(stem, set()).update(message.module for message in lowered.messages)
        stems = merge_cycles(
            {stem: frozenset(targets) for stem, targets in needs.items()}, self._overrides.merged_files
        )
        sources: dict[str, set[str]] = {}
        for decl in self._model.types:
            if decl.is_struct or is_open_enum(decl):
                sources.setdefault(stems[self._module(decl)], set()).add(decl.file)
        files = []
        for stem in sorted(set(stems.values())):
            held = [
                dataclasses.replace(message, file=stem)
                for message in messages
                if stems[message.module] == stem
            ]
            merged = {source for source, target in stems.items() if target == stem}
            imports = {stems[target] for source in merged for target in needs[source]} - {stem}
            files.append(
                ProtoFile(
                    stem=stem,
                    sources=tuple(sorted(sources.get(stem, ()))),
                    imports=tuple(sorted(imports)),
                    google_imports=_google_imports(held),
                    messages=tuple(held),
                    enums=tuple(
                        dataclasses.replace(enum, file=stem) for enum in enums if stems[enum.module] == stem
                    ),
                    wire_enums=(
                        (dataclasses.replace(wire_enum, file=stem),) if stems[wire_enum.file] == stem else ()
                    ),
                    services=(serving[stem],) if stem in serving else (),
                )
            )
        return tuple(files)


def _google_imports(messages: list[Message]) -> tuple[str, ...]:
    for message in messages:
        for field in message.fields:
            if any(item.kind is ConversionKind.TIMESTAMP for item in field.conversion.walk()):
                return ("google/protobuf/timestamp.proto",)
    return ()


def _locked_type(field: Field) -> str:
    """Return what may never change about a field, beside its number."""
    prefix = {Cardinality.REPEATED: "repeated ", Cardinality.OPTIONAL: "optional "}.get(field.cardinality, "")
    suffix = f" in {field.oneof}" if field.oneof else ""
    return f"{prefix}{field.conversion.proto_type}{suffix}"


def _refuse_clashes(messages: list[Message], enums: list[OpenEnum]) -> None:
    seen: dict[str, str] = {}
    for name, origin in [
        *((message.name, message.go_type or message.kind.value) for message in messages),
        *((enum.name, enum.go_type) for enum in enums),
    ]:
        if name in seen:
            raise NameClashError(f"{seen[name]} and {origin} would both be {name}")
        seen[name] = origin
