"""Our descriptors and the hand-written reader of `Value` speak the wire format of the .proto files."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, unknown_fields

from codegen.python_methods import request_fields, unavailable
from mattermost_plugin._codec.values import decode_value, encode_value
from mattermost_plugin._gen.api_methods import API
from mattermost_plugin._gen.driver_methods import DRIVER
from mattermost_plugin._gen.hook_methods import HOOKS, IMPLEMENTED
from tests.codegen.repository import ROOT, schema
from tests.contract.codecs import python_types
from tests.contract.values import PythonFiller, differences

if TYPE_CHECKING:
    from codegen.lowered import Method

PACKAGE = "mattermost.plugin.v1"
NAMES = sorted(python_types())
TABLES = {"Hooks": {**HOOKS, "implemented": IMPLEMENTED}, "API": API, "Driver": DRIVER}
UNARY = [method for service in schema().services for method in service.methods if not unavailable(method)]


@pytest.fixture(scope="session")
def official(tmp_path_factory: pytest.TempPathFactory) -> descriptor_pool.DescriptorPool:
    """The .proto files as protobuf's own compiler reads them."""
    out = tmp_path_factory.mktemp("descriptors") / "all.bin"
    folder = ROOT / "schema/proto"
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.proto"))
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{folder}", "--include_imports"]
    subprocess.run([*command, f"--descriptor_set_out={out}", *files], check=True)
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file:
        pool.AddSerializedFile(file.SerializeToString())
    return pool


def parse(pool: descriptor_pool.DescriptorPool, name: str, data: bytes) -> Any:
    descriptor = pool.FindMessageTypeByName(f"{PACKAGE}.{name}")
    return message_factory.GetMessageClass(descriptor).FromString(data)


def unknown(message: Any, path: str = "") -> list[str]:
    """Return the places with fields that the .proto files do not know."""
    fields: Any = unknown_fields.UnknownFieldSet(message)  # iterable, which its stub does not say
    found = [f"{path}.{item.field_number}" for item in fields]
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        here = f"{path}.{field.name}"
        if field.message_type.GetOptions().map_entry:
            if field.message_type.fields_by_name["value"].message_type is not None:
                for key, item in value.items():
                    found += unknown(item, f"{here}[{key!r}]")
        elif field.is_repeated:
            for index, item in enumerate(value):
                found += unknown(item, f"{here}[{index}]")
        else:
            found += unknown(value, here)
    return found


def unset(message: Any) -> set[str]:
    present = {field.name for field, _ in message.ListFields()}
    # An optional scalar stands in a oneof of its own.
    return {
        field.name
        for field in message.DESCRIPTOR.fields
        if field.containing_oneof is None or len(field.containing_oneof.fields) == 1
    } - present


@pytest.mark.parametrize("name", NAMES)
def test_protobuf_reads_every_field_of_a_model_and_we_read_what_it_writes(
    official: descriptor_pool.DescriptorPool, name: str
) -> None:
    codec = python_types()[name]
    for seed in (1, 2):
        value = PythonFiller(seed).value(name)
        message = parse(official, name, codec.encode(value))
        assert unknown(message) == []
        if name not in {"Value", "Error"}:
            assert unset(message) == set()
        assert differences(value, codec.decode(message.SerializeToString())) == []


@pytest.mark.parametrize("method", UNARY, ids=lambda method: f"{method.service}.{method.python_name}")
def test_protobuf_reads_the_arguments_of_a_method(
    official: descriptor_pool.DescriptorPool, method: Method
) -> None:
    codec = TABLES[method.service][method.python_name].codec
    filler = PythonFiller(1)
    arguments = tuple(filler.of(field.conversion) for field in request_fields(schema(), method))
    message = parse(official, method.request, codec.encode_request(*arguments))
    assert unknown(message) == []
    returned = codec.decode_request(message.SerializeToString())
    assert differences(list(arguments), list(returned)) == []


def test_values_are_read_in_any_order_of_fields(official: descriptor_pool.DescriptorPool) -> None:
    # protobuf may write fields in any order, repeat them, and pad varints.
    assert decode_value(b"\x18\x05\x08\x01") == decode_value(b"\x08\x01\x18\x05") == 5
    assert decode_value(b"\x18\x85\x80\x00") == 5
    assert decode_value(b"\x18\x05\x32\x01x") == "x"
    message = parse(official, "Value", b"\x18\x05\x32\x01x")
    assert message.string_value == "x"


@pytest.mark.parametrize("depth", [10, 60, 150])
def test_deep_values_come_back(depth: int) -> None:
    value: Any = "bottom"
    for level in range(depth):
        value = [value] if level % 2 else {"down": value}
    assert decode_value(encode_value(value)) == value
