"""go-plugin's messages, compared with protobuf's own reading of the same definitions."""

from __future__ import annotations

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import given
from hypothesis import strategies as st

from mattermost_plugin._runtime import wire

_TYPES = descriptor_pb2.FieldDescriptorProto


def _messages():
    """The definitions as go-plugin and gRPC publish them, in a pool of their own."""
    file = descriptor_pb2.FileDescriptorProto(name="t.proto", package="t", syntax="proto3")

    def message(name, *fields):
        added = file.message_type.add(name=name)
        for number, (field, kind, type_name) in enumerate(fields, 1):
            added.field.add(
                name=field, number=number, type=kind, label=_TYPES.LABEL_OPTIONAL, type_name=type_name
            )

    string, boolean = _TYPES.TYPE_STRING, _TYPES.TYPE_BOOL
    message("Knock", ("knock", boolean, None), ("ack", boolean, None), ("error", string, None))
    message(
        "ConnInfo",
        ("service_id", _TYPES.TYPE_UINT32, None),
        ("network", string, None),
        ("address", string, None),
        ("knock", _TYPES.TYPE_MESSAGE, ".t.Knock"),
    )
    message("HealthCheckRequest", ("service", string, None))
    message("HealthCheckResponse", ("status", _TYPES.TYPE_INT32, None))
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClassesForFiles(["t.proto"], pool)


MESSAGES = _messages()


@given(st.integers(0, 2**32 - 1), st.text(max_size=300), st.text(max_size=300), st.booleans())
def test_conn_info_is_read_as_protobuf_writes_it(service_id, network, address, knock):
    message = MESSAGES["t.ConnInfo"](service_id=service_id, network=network, address=address)
    if knock:
        message.knock.knock = True
    assert wire.ConnInfo.decode(message.SerializeToString()) == (service_id, network, address, knock)


@given(st.integers(0, 2**32 - 1), st.text(max_size=300), st.text(max_size=300))
def test_conn_info_is_written_as_protobuf_reads_it(service_id, network, address):
    data = wire.ConnInfo(service_id, network, address, knock=False).encode()
    message = MESSAGES["t.ConnInfo"].FromString(data)
    assert (message.service_id, message.network, message.address) == (service_id, network, address)


@given(st.text())
def test_the_service_of_a_health_request_is_read(service):
    request = MESSAGES["t.HealthCheckRequest"](service=service)
    assert wire.health_service(request.SerializeToString()) == service


@pytest.mark.parametrize(
    ("data", "status"), [(wire.SERVING, 1), (wire.NOT_SERVING, 2), (wire.SERVICE_UNKNOWN, 3)]
)
def test_health_responses_carry_their_status(data, status):
    assert MESSAGES["t.HealthCheckResponse"].FromString(data).status == status


def test_unknown_fields_of_every_wire_type_are_skipped():
    unknown = b"\x28\x96\x01" + b"\x31" + b"12345678" + b"\x3d" + b"1234" + b"\x42\x03abc"
    assert wire.ConnInfo.decode(unknown + b"\x08\x07" + unknown).service_id == 7


@pytest.mark.parametrize("data", [b"\x08", b"\x0a\x05ab", b"\x0b", b"\x08" + b"\xff" * 11, b"\x0d123"])
def test_broken_messages_are_refused(data):
    with pytest.raises(ValueError, match=r"message|wire type"):
        wire.ConnInfo.decode(data)
