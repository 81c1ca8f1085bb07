"""The generated Python codec of each type of the contract, by the message's name."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from codegen.lowered import Message, MessageKind, Schema
from mattermost_plugin._codec import errors_special, values_special
from mattermost_plugin._codec.messages import message_class
from mattermost_plugin._gen.descriptors.index import KEYS
from tests.codegen.repository import schema

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class PythonType:
    """A type of the contract in Python, and its way from and to bytes."""

    name: str
    decode: Callable[[bytes], Any]
    encode: Callable[[Any], bytes]


def struct_types(contract: Schema) -> list[Message]:
    """Return the messages that stand for Go structs."""
    return [message for message in contract.messages() if message.kind is MessageKind.STRUCT]


@functools.cache
def python_types() -> dict[str, PythonType]:
    """Return every type by the name of its message; Value and Error among them."""
    types = {message.name: _struct(message) for message in struct_types(schema())}
    types["Value"] = PythonType("Value", values_special.decode_value, values_special.encode_value)
    types["Error"] = _through("Error", errors_special.decode_error, errors_special.put_error)
    return types


def _struct(message: Message) -> PythonType:
    if message.is_exception:
        module: Any = errors_special
    else:
        module = import_module(f"mattermost_plugin._gen.codecs.{message.module}")
    decode = getattr(module, f"decode_{message.function_name}")
    encode = getattr(module, f"encode_{message.function_name}")
    return _through(message.name, decode, encode)


def _through(name: str, decode: Callable[[Any], Any], encode: Callable[[Any, Any], None]) -> PythonType:
    def from_bytes(data: bytes) -> Any:
        return decode(message_class(KEYS[name], name).FromString(data))

    def to_bytes(value: Any) -> bytes:
        message = message_class(KEYS[name], name)()
        encode(value, message)
        data: bytes = message.SerializeToString()
        return data

    return PythonType(name, from_bytes, to_bytes)
