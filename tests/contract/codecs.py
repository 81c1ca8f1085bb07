"""The Python codec of each type of the contract, by the message's name."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from codegen.lowered import Message, MessageKind, Schema
from mattermost_plugin._codec import go_errors, values
from mattermost_plugin._codec.messages import decode_message, encode_message
from mattermost_plugin._codec.plans import plan_of
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
    types["Value"] = PythonType("Value", values.decode_value, values.encode_value)
    types["Error"] = PythonType("Error", go_errors.decode_error, go_errors.encode_error)
    return types


def _struct(message: Message) -> PythonType:
    if message.is_exception:
        reference = f"{message.module}/{message.name}"
        decode: Callable[[bytes], Any] = partial(go_errors.decode_exception, reference)
        return PythonType(message.name, decode, partial(go_errors.encode_exception, reference))
    plan = plan_of(f"{message.module}/{message.python_name}")
    return PythonType(message.name, partial(decode_message, plan), partial(encode_message, plan))
