from __future__ import annotations

import dataclasses

import pytest

from codegen import emit_proto, model
from codegen.lower import NameClashError, lower
from codegen.lowered import Cardinality, ConversionKind, MethodKind, Role
from codegen.numbers import BreakingChangeError, NumbersLock
from codegen.overrides import Overrides, StaleOverridesError
from codegen.protoc import compile_protos
from tests.codegen.golden import EXPECTED, HERE, golden_files, golden_schema


def test_generated_files_are_the_expected_ones() -> None:
    expected = {path.name: path.read_text(encoding="utf-8") for path in EXPECTED.iterdir()}
    assert golden_files() == expected


def test_generated_files_compile() -> None:
    protos = {
        path.removeprefix(f"{emit_proto.ROOT}/"): text
        for path, text in emit_proto.emit(golden_schema()).items()
    }
    compiled = compile_protos(protos, ["--python_out={out}"])
    assert len(compiled) == len(protos)


def test_a_pointer_to_a_scalar_may_be_none_and_travels_with_presence() -> None:
    field = golden_schema().message("Thing").field("count")
    assert field.cardinality is Cardinality.OPTIONAL
    assert field.conversion.pointer
    assert field.conversion.python_annotation == "int | None"


def test_a_pointer_in_a_slice_is_never_none() -> None:
    conversion = golden_schema().message("Thing").field("parts").conversion
    assert conversion.python_annotation == "list[Part]"
    assert conversion.elem is not None
    assert conversion.elem.pointer


def test_what_protobuf_cannot_nest_gets_a_wrapper_shared_by_element_type() -> None:
    thing = golden_schema().message("Thing")
    names, by_kind = thing.field("names").conversion, thing.field("by_kind").conversion
    assert (names.kind, names.wrapper, names.nullable) == (ConversionKind.LIST, "StringList", True)
    assert by_kind.python_annotation == "dict[Kind, list[str]]"
    assert by_kind.elem is not None
    assert by_kind.elem.wrapper == "StringList"


def test_results_are_told_by_their_roles() -> None:
    schema = golden_schema()
    hook = schema.service("Hooks").methods[0]
    assert hook.python_name == "thing_will_be_kept"
    assert hook.rejection_reason is not None
    assert hook.policy
    assert hook.python_annotation == "Thing | None"
    api = schema.service("API").methods[0]
    assert api.error is not None
    assert api.error.conversion.message == "AppError"
    assert api.python_annotation == "tuple[list[Thing], bool]"
    assert [field.role for field in api.results] == [Role.RESULT, Role.RESULT, Role.ERROR]


def test_a_streamed_parameter_leaves_the_head() -> None:
    upload = golden_schema().service("API").methods[1]
    assert upload.kind is MethodKind.CLIENT_STREAM
    assert [field.proto_name for field in upload.params] == ["name"]
    assert upload.request_stream is not None
    assert upload.request_stream.go_type == "io.Reader"


def test_go_signatures_read_as_declared() -> None:
    signatures = [method.go_signature for method in golden_schema().service("API").methods]
    assert signatures == [
        "GetThings(userIDs []string) ([]*model.Thing, bool, *model.AppError)",
        "Upload(name string, data io.Reader) error",
        "Log(pairs ...any)",
    ]


def test_python_modules_follow_go_files_where_proto_files_had_to_be_merged() -> None:
    schema = golden_schema()
    assert (schema.message("Part").file, schema.message("Part").module) == ("thing", "part")
    assert (schema.message("Value").file, schema.message("Value").module) == ("thing", "value")


def test_a_removed_field_becomes_reserved() -> None:
    lock = NumbersLock.parse("AppError.id 1 string\nAppError.gone 2 bool\n")
    message = golden_schema(lock).message("AppError")
    assert message.reserved_numbers == (2,)
    text = emit_proto.emit(golden_schema(lock))["schema/proto/mattermost/plugin/v1/error.proto"]
    assert '  reserved 2;\n  reserved "gone";\n' in text


def test_a_field_that_changes_its_type_is_refused() -> None:
    with pytest.raises(BreakingChangeError, match=r"Thing\.count: type 'bool'"):
        golden_schema(NumbersLock.parse("Thing.count 3 bool\n"))


def test_an_override_that_matches_nothing_is_refused() -> None:
    contract = model.load(HERE / "model.json")
    overrides = Overrides(
        {
            "merged_files": {"names": ["thing"]},
            "methods": {"API.Vanished": {"special": "gone"}, "API.Upload": {"request_stream": "data"}},
        }
    )
    with pytest.raises(StaleOverridesError, match=r"methods\.API\.Vanished"):
        lower(contract, overrides, NumbersLock())


def test_two_types_of_one_name_are_refused() -> None:
    contract = model.load(HERE / "model.json")
    thing = contract.type("model.Thing")
    twin = dataclasses.replace(thing, key="other.Thing", package="example.com/other")
    contract = dataclasses.replace(contract, types=(*contract.types, twin))
    with pytest.raises(NameClashError, match=r"model\.Thing and other\.Thing would both be Thing"):
        lower(contract, Overrides.load(HERE / "overrides.toml"), NumbersLock())
