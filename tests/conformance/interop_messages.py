"""The messages of grpc.testing that the interop cases use, made from lists of their fields."""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_F = descriptor_pb2.FieldDescriptorProto
_SCALARS = {"int32": _F.TYPE_INT32, "bool": _F.TYPE_BOOL, "bytes": _F.TYPE_BYTES, "string": _F.TYPE_STRING}

#: Message: name, type and number of each field; "*" marks a repeated one.
_MESSAGES: dict[str, list[tuple[str, str, int]]] = {
    "Empty": [],
    "BoolValue": [("value", "bool", 1)],
    "Payload": [("type", "int32", 1), ("body", "bytes", 2)],
    "EchoStatus": [("code", "int32", 1), ("message", "string", 2)],
    "SimpleRequest": [
        ("response_type", "int32", 1),
        ("response_size", "int32", 2),
        ("payload", "Payload", 3),
        ("response_status", "EchoStatus", 7),
    ],
    "SimpleResponse": [("payload", "Payload", 1)],
    "StreamingInputCallRequest": [("payload", "Payload", 1)],
    "StreamingInputCallResponse": [("aggregated_payload_size", "int32", 1)],
    "ResponseParameters": [("size", "int32", 1), ("interval_us", "int32", 2)],
    "StreamingOutputCallRequest": [
        ("response_type", "int32", 1),
        ("response_parameters", "*ResponseParameters", 2),
        ("payload", "Payload", 3),
        ("response_status", "EchoStatus", 7),
    ],
    "StreamingOutputCallResponse": [("payload", "Payload", 1)],
}


def _build() -> dict[str, Any]:
    package = "mattermost_plugin_tests.grpc.testing"
    file = descriptor_pb2.FileDescriptorProto(name="interop.proto", package=package, syntax="proto3")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field_name, kind, number in fields:
            field = message.field.add(name=field_name, number=number)
            field.label = _F.LABEL_REPEATED if kind.startswith("*") else _F.LABEL_OPTIONAL
            if kind in _SCALARS:
                field.type = _SCALARS[kind]
            else:
                field.type = _F.TYPE_MESSAGE
                field.type_name = f".{package}.{kind.lstrip('*')}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    find = pool.FindMessageTypeByName
    return {name: message_factory.GetMessageClass(find(f"{package}.{name}")) for name in _MESSAGES}


_CLASSES = _build()
Empty: Any = _CLASSES["Empty"]
Payload: Any = _CLASSES["Payload"]
EchoStatus: Any = _CLASSES["EchoStatus"]
SimpleRequest: Any = _CLASSES["SimpleRequest"]
SimpleResponse: Any = _CLASSES["SimpleResponse"]
StreamingInputCallRequest: Any = _CLASSES["StreamingInputCallRequest"]
StreamingInputCallResponse: Any = _CLASSES["StreamingInputCallResponse"]
ResponseParameters: Any = _CLASSES["ResponseParameters"]
StreamingOutputCallRequest: Any = _CLASSES["StreamingOutputCallRequest"]
StreamingOutputCallResponse: Any = _CLASSES["StreamingOutputCallResponse"]


def encode(message: Any) -> bytes:
    """Return a message's octets."""
    data: bytes = message.SerializeToString()
    return data
