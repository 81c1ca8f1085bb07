"""Protobuf descriptors for the Python side, one file per group of messages that need each other.

They describe the same wire format as the .proto files, with two differences that no peer can see: a field of
type `Value` is `bytes` (the SDK reads values itself), and a field whose name is a Python keyword has another
name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from google.protobuf import timestamp_pb2
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto

from codegen.lowered import Cardinality, Conversion, ConversionKind, Field, Message, MessageKind, Schema
from codegen.python_types import attribute

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

PACKAGE = "mattermost.plugin.v1"
TIMESTAMP = "google.protobuf.Timestamp"
TIMESTAMP_MODULE = "timestamp"

_TYPES = {
    "double": FieldDescriptorProto.TYPE_DOUBLE,
    "float": FieldDescriptorProto.TYPE_FLOAT,
    "int64": FieldDescriptorProto.TYPE_INT64,
    "uint64": FieldDescriptorProto.TYPE_UINT64,
    "int32": FieldDescriptorProto.TYPE_INT32,
    "uint32": FieldDescriptorProto.TYPE_UINT32,
    "bool": FieldDescriptorProto.TYPE_BOOL,
    "string": FieldDescriptorProto.TYPE_STRING,
    "bytes": FieldDescriptorProto.TYPE_BYTES,
}

# Messages that the SDK reads without protobuf's help.
_BY_HAND = {"Value", "Complex"}


@dataclass(frozen=True, slots=True)
class Group:
    """Messages that refer to each other, and the descriptor file that declares them."""

    module: str
    name: str
    members: tuple[str, ...]
    dependencies: tuple[str, ...]  # keys of other groups
    descriptor: bytes

    @property
    def key(self) -> str:
        return f"{self.module}/{self.name}"


def groups(schema: Schema) -> list[Group]:
    """Return the groups of everything but the methods' own messages, in the order of their keys."""
    kinds = {MessageKind.STRUCT, MessageKind.WRAPPER, MessageKind.SUPPORT}
    messages = {
        message.name: message
        for message in schema.messages()
        if message.kind in kinds and message.name not in _BY_HAND
    }
    references = {name: sorted(set(_references(message))) for name, message in messages.items()}
    keys = {TIMESTAMP: f"{TIMESTAMP_MODULE}/{TIMESTAMP}"}
    components = []
    for names in _components(references):
        members = tuple(sorted(names))
        module = messages[members[0]].module
        components.append((module, members))
        keys.update(dict.fromkeys(members, f"{module}/{members[0]}"))
    found = [_timestamp()]
    for module, members in components:
        key = f"{module}/{members[0]}"
        needed = {keys[target] for name in members for target in references[name]} - {key}
        content = [messages[name] for name in members]
        descriptor = _file(key, sorted(needed), content)
        found.append(Group(module, members[0], members, tuple(sorted(needed)), descriptor))
    return sorted(found, key=lambda group: group.key)


def method_file(name: str, messages: Iterable[Message], keys: Mapping[str, str]) -> tuple[list[str], bytes]:
    """Return the dependencies and the descriptor of a method's own messages.

    Args:
        name: Name of the descriptor file.
        messages: The messages.
        keys: Name of a message -> key of its group.
    """
    messages = list(messages)
    needed = sorted({keys[target] for message in messages for target in _references(message)})
    return needed, _file(name, needed, messages)


def group_keys(found: Iterable[Group]) -> dict[str, str]:
    """Return the key of the group of each message."""
    return {member: group.key for group in found for member in group.members}


def _timestamp() -> Group:
    file = FileDescriptorProto.FromString(timestamp_pb2.DESCRIPTOR.serialized_pb)
    file.name = f"{TIMESTAMP_MODULE}/{TIMESTAMP}"
    file.ClearField("options")
    return Group(TIMESTAMP_MODULE, TIMESTAMP, (TIMESTAMP,), (), _serialized(file))


def _file(name: str, dependencies: Iterable[str], messages: Iterable[Message]) -> bytes:
    file = FileDescriptorProto(name=name, package=PACKAGE, syntax="proto3", dependency=dependencies)
    for message in messages:
        _describe(message, file.message_type.add())
    return _serialized(file)


def _serialized(file: FileDescriptorProto) -> bytes:
    return file.SerializeToString(deterministic=True)


def _describe(message: Message, target: DescriptorProto) -> None:
    target.name = message.name
    oneofs: list[str] = []
    for field in message.fields:
        if field.oneof and field.oneof not in oneofs:
            oneofs.append(field.oneof)
            target.oneof_decl.add(name=field.oneof)
    for field in message.fields:
        described = target.field.add(
            name=attribute(field), number=field.number, label=FieldDescriptorProto.LABEL_OPTIONAL
        )
        if field.oneof:
            described.oneof_index = oneofs.index(field.oneof)
        _type(field, described, target)
    # The oneofs that optional scalars stand in come after all others.
    for field, described in zip(message.fields, target.field, strict=True):
        if field.cardinality is Cardinality.OPTIONAL:
            described.proto3_optional = True
            described.oneof_index = len(target.oneof_decl)
            target.oneof_decl.add(name=f"_{described.name}")


def _type(field: Field, described: FieldDescriptorProto, owner: DescriptorProto) -> None:
    conversion = field.conversion
    if field.cardinality is Cardinality.REPEATED:
        described.label = FieldDescriptorProto.LABEL_REPEATED
        _scalar_or_message(_element(conversion), described)
    elif field.cardinality is Cardinality.MAP:
        described.label = FieldDescriptorProto.LABEL_REPEATED
        if conversion.key is None:
            raise ValueError(f"{field.proto_name}: a map without keys")
        entry = owner.nested_type.add(name=f"{_camel(described.name)}Entry")
        entry.options.map_entry = True
        optional = FieldDescriptorProto.LABEL_OPTIONAL
        _scalar_or_message(conversion.key, entry.field.add(name="key", number=1, label=optional))
        _scalar_or_message(_element(conversion), entry.field.add(name="value", number=2, label=optional))
        described.type = FieldDescriptorProto.TYPE_MESSAGE
        described.type_name = f".{PACKAGE}.{owner.name}.{entry.name}"
    else:
        _scalar_or_message(conversion, described)


def _element(conversion: Conversion) -> Conversion:
    if conversion.elem is None:
        raise ValueError(f"{conversion.go_type} has no elements")
    return conversion.elem


def _scalar_or_message(conversion: Conversion, described: FieldDescriptorProto) -> None:
    target = _message_of(conversion)
    if target is None:
        kind = "bytes" if conversion.kind is ConversionKind.VALUE else conversion.proto_type
        described.type = _TYPES[kind]
    else:
        described.type = FieldDescriptorProto.TYPE_MESSAGE
        described.type_name = f".{target}" if target == TIMESTAMP else f".{PACKAGE}.{target}"


def _message_of(conversion: Conversion) -> str | None:
    """Return the message that a single value travels as."""
    if conversion.wrapper:
        return conversion.wrapper
    match conversion.kind:
        case ConversionKind.MESSAGE:
            return conversion.message
        case ConversionKind.ERROR:
            return "Error"
        case ConversionKind.TIMESTAMP:
            return TIMESTAMP
        case _:
            return None


def _references(message: Message) -> Iterator[str]:
    for field in message.fields:
        conversion = field.conversion
        if field.cardinality in {Cardinality.REPEATED, Cardinality.MAP}:
            conversion = _element(conversion)
        target = _message_of(conversion)
        if target is not None:
            yield target


def _components(references: Mapping[str, list[str]]) -> list[list[str]]:
    """Return the strongly connected components of a graph (Tarjan)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        order[name] = low[name] = len(order)
        stack.append(name)
        for target in references[name]:
            if target not in references:
                continue  # the timestamp, which needs nothing
            if target not in order:
                visit(target)
                low[name] = min(low[name], low[target])
            elif target in stack:
                low[name] = min(low[name], order[target])
        if low[name] == order[name]:
            component: list[str] = []
            while not component or component[-1] != name:
                component.append(stack.pop())
            found.append(component)

    for name in sorted(references):
        if name not in order:
            visit(name)
    return found


def _camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))
