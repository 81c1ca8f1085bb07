"""What protobuf's own library makes of a message: the judge of our codec."""

from __future__ import annotations

import functools
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, unknown_fields

from codegen.lowered import Conversion, ConversionKind, Message
from mattermost_plugin._codec import go_errors, values
from mattermost_plugin._codec.timestamps import decode_timestamp
from mattermost_plugin._model import ZERO_TIME, Model, field_names
from tests.codegen.repository import ROOT, schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PACKAGE = "mattermost.plugin.v1"


@functools.cache
def pool() -> descriptor_pool.DescriptorPool:
    """The .proto files as protobuf's own compiler reads them."""
    folder = ROOT / "schema/proto"
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.proto"))
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{folder}", "--include_imports"]
    with tempfile.TemporaryDirectory() as out:
        described = Path(out, "all.bin")
        subprocess.run([*command, f"--descriptor_set_out={described}", *files], check=True)
        found = descriptor_pool.DescriptorPool()
        for file in descriptor_pb2.FileDescriptorSet.FromString(described.read_bytes()).file:
            found.AddSerializedFile(file.SerializeToString())
    return found


@functools.cache
def message_class(name: str) -> Any:
    """Return the library's class of a message."""
    return message_factory.GetMessageClass(pool().FindMessageTypeByName(f"{PACKAGE}.{name}"))


@functools.cache
def messages() -> Mapping[str, Message]:
    """Return the messages of the contract by name."""
    return {message.name: message for message in schema().messages()}


def python_value(name: str, message: Any) -> Any:
    """Return the model that a message of the library stands for, going by the contract alone."""
    declared = messages()[name]
    if declared.is_exception:
        return go_errors.decode_exception(f"{declared.module}/{name}", message.SerializeToString())
    model = getattr(import_module(f"mattermost_plugin.models.{declared.module}"), declared.python_name)
    found = model()
    for field in declared.fields:
        conversion, content = field.conversion, getattr(message, field.proto_name)
        has_presence = message.DESCRIPTOR.fields_by_name[field.proto_name].has_presence
        if has_presence and not message.HasField(field.proto_name):
            setattr(found, field.python_name, _absent(conversion))
        else:
            setattr(found, field.python_name, _value(conversion, content))
    return found


def _absent(conversion: Conversion) -> Any:
    if conversion.nullable or conversion.kind in {ConversionKind.VALUE, ConversionKind.ERROR}:
        return None
    if conversion.kind is ConversionKind.TIMESTAMP:
        return ZERO_TIME
    return _value(conversion, message_class(conversion.wrapper or conversion.message)())


def _value(conversion: Conversion, content: Any) -> Any:
    if conversion.wrapper:
        (field,) = messages()[conversion.wrapper].fields
        content = getattr(content, field.proto_name)
    match conversion.kind:
        case ConversionKind.LIST:
            assert conversion.elem is not None
            return [_value(conversion.elem, item) for item in content]
        case ConversionKind.MAP:
            assert conversion.elem is not None
            assert conversion.key is not None
            return {
                _value(conversion.key, key): _value(conversion.elem, content[key]) for key in sorted(content)
            }
        case ConversionKind.MESSAGE:
            return python_value(conversion.message, content)
        case ConversionKind.ENUM:
            module = next(enum.module for enum in schema().enums() if enum.name == conversion.enum)
            return getattr(import_module(f"mattermost_plugin.models.{module}"), conversion.enum)(content)
        case ConversionKind.VALUE:
            return values.decode_value(content.SerializeToString())
        case ConversionKind.TIMESTAMP:
            return decode_timestamp(content.SerializeToString())
        case ConversionKind.ERROR:
            return go_errors.decode_error(content.SerializeToString())
    return content


def in_order(value: Any) -> Any:
    """Return a value with the entries of its dicts in the order in which protobuf writes them."""
    if isinstance(value, Model):
        return type(value)(**{name: in_order(getattr(value, name)) for name in field_names(value)})
    if type(value) is list:
        return [in_order(item) for item in value]
    if type(value) is dict:
        # Of two keys of which one begins with the other, the library writes the longer one first.
        keys = sorted(value, key=lambda key: key.encode() + b"\xff")
        return {key: in_order(value[key]) for key in keys}
    return value


def keeps_entries(message: Any) -> bool:
    """Whether the library keeps entries of maps as unknown, because they have unknown fields themselves.

    Other implementations, and ours, read such entries.
    """
    for field in message.DESCRIPTOR.fields:
        is_map = field.message_type is not None and field.message_type.GetOptions().map_entry
        unknown: Any = unknown_fields.UnknownFieldSet(message)  # iterable, which its stub does not say
        if is_map and any(item.field_number == field.number for item in unknown):
            return True
    return any(keeps_entries(inner) for inner in _inner(message))


def _inner(message: Any) -> Iterator[Any]:
    for field, content in message.ListFields():
        if field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            if field.message_type.fields_by_name["value"].message_type is not None:
                yield from content.values()
        elif field.is_repeated:
            yield from content
        else:
            yield content
