"""The SDK builds its message classes without protoc; here protoc says what they must be."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorSet

from mattermost_plugin._codec.messages import message_class
from mattermost_plugin._gen.api_methods import API
from mattermost_plugin._gen.descriptors.index import KEYS
from mattermost_plugin._gen.driver_methods import DRIVER
from mattermost_plugin._gen.hook_methods import HOOKS

if TYPE_CHECKING:
    from mattermost_plugin._runtime.methods import Method

PROTO = Path(__file__).parents[2] / "schema/proto"
_VALUE = ".mattermost.plugin.v1.Value"


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, DescriptorProto]:
    """Every message of schema/proto as protoc understands it."""
    out = tmp_path_factory.mktemp("descriptors") / "all.binpb"
    files = sorted(path.relative_to(PROTO).as_posix() for path in PROTO.rglob("*.proto"))
    subprocess.run(
        [sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTO}", f"--descriptor_set_out={out}", *files],
        check=True,
    )
    parsed = FileDescriptorSet.FromString(out.read_bytes())
    return {message.name: message for file in parsed.file for message in file.message_type}


def shape(message: DescriptorProto) -> dict[int, tuple[object, ...]]:
    """What of a message shows on the wire, and the names its users use."""
    entries = {nested.name: nested for nested in message.nested_type}
    result: dict[int, tuple[object, ...]] = {}
    for field in message.field:
        entry = entries.get(field.type_name.rpartition(".")[2])
        inside = shape(entry) if entry is not None else None
        result[field.number] = (field.name, field.label, *type_of(field), field.proto3_optional, inside)
    return result


def type_of(field: FieldDescriptorProto) -> tuple[object, str]:
    """A field's type. Value is read by hand from its bytes, which are framed as those of a message."""
    if field.type_name == _VALUE:
        return FieldDescriptorProto.TYPE_BYTES, ""
    if field.type == FieldDescriptorProto.TYPE_MESSAGE:
        return field.type, field.type_name.rpartition(".")[2]
    return field.type, ""


def test_every_message_class_is_what_protoc_makes_of_the_proto_files(
    compiled: dict[str, DescriptorProto],
) -> None:
    compared = 0
    for name, key in KEYS.items():
        if name not in compiled:
            assert name.startswith("google.protobuf."), name
            continue
        described = DescriptorProto()
        message_class(key, name).DESCRIPTOR.CopyToProto(described)
        assert shape(described) == shape(compiled[name]), name
        compared += 1
    assert compared > 200


def test_every_struct_has_a_message_class(compiled: dict[str, DescriptorProto]) -> None:
    by_hand = {"Value", "Complex", "ValueList", "ValueMap"}
    methods = {name for name in compiled if name.endswith(("Request", "Response", "Head"))}
    assert set(compiled) - set(KEYS) - methods <= by_hand


@pytest.mark.parametrize("service", [HOOKS, API, DRIVER], ids=["Hooks", "API", "Driver"])
def test_every_request_and_response_is_what_protoc_makes_of_the_proto_files(
    compiled: dict[str, DescriptorProto], service: dict[str, Method]
) -> None:
    for method in service.values():
        if method.unavailable:
            continue
        assert method.python_codec() is not None  # it is what makes the classes
        request_streams, response_streams = (kind == "stream" for kind in method.kind.split("_"))
        for name in (
            f"{method.go_name}Request{'Head' if request_streams else ''}",
            f"{method.go_name}Response{'Head' if response_streams else ''}",
        ):
            described = DescriptorProto()
            message_class("", name).DESCRIPTOR.CopyToProto(described)
            assert shape(described) == shape(compiled[name]), name
