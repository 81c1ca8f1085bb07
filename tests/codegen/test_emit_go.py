from __future__ import annotations

import dataclasses
import functools
import re

import pytest

from codegen import emit_go_convert, emit_go_netrpc, emit_go_recorders, emit_go_service
from codegen.conversions import make_field
from codegen.go_codecs import GoCodecs, UnsupportedTypeError
from codegen.go_methods import GoSignature, zero
from codegen.go_source import format_go, go_file, parameter_names
from codegen.lowered import Conversion, ConversionKind
from tests.codegen.golden import golden_schema
from tests.codegen.repository import ROOT, schema

PACKAGES = {"model": "example.com/public/model", "time": "time", "saml2": "example.com/gosaml2"}


def thing_codec(function: str) -> str:
    """The body of one of the functions generated for Thing of the golden contract."""
    text = emit_go_convert.emit(golden_schema())["go/internal/convert/thing_gen.go"]
    return text.split(f"func {function}(", 1)[1].split("\n}\n", 1)[0]


@pytest.mark.parametrize(
    "statement",
    [
        "appendText(b, N<<3|octets, in.Id)",
        "appendText(b, N<<3|octets, string(in.Kind))",
        "appendIntPointer(b, N<<3|varint, in.Count)",
        "appendMessages(b, N<<3|octets, in.Parts, AppendPart)",
        "appendWrappedPointer(b, N<<3|octets, in.Names, appendStringList)",
        "appendWrappedMap(b, N<<3|octets, in.ByKind, appendStringList)",
        "appendBytes(b, N<<3|octets, in.Raw)",
        "appendSetTime(b, N<<3|octets, in.At)",
        "appendSetError(b, N<<3|octets, in.Err)",
    ],
)
def test_each_kind_of_field_is_appended(statement: str) -> None:
    body = re.sub(r"\b\d+<<3", "N<<3", thing_codec("AppendThing"))
    assert f"\tb = {statement}\n" in body


@pytest.mark.parametrize(
    "statement",
    [
        "out.Id = f.text()",
        "out.Kind = model.Kind(f.text())",
        "out.Count = intPointer[int](&f)",
        "messages(&f, &out.Parts, parsePart)",
        "wrappedPointer(&f, parts[0], &out.Names, parseStringList)",
        "wrappedMap(&f, &out.ByKind, parseStringList)",
        "out.Raw = f.bytes()",
        "wrapped(&f, parts[1], &out.At, parseTime)",
        "wrapped(&f, parts[2], &out.Err, parseError)",
    ],
)
def test_each_kind_of_field_is_parsed(statement: str) -> None:
    assert re.search(rf"\n\t+{re.escape(statement)}\n", thing_codec("parseThing"))


@functools.cache
def codec_files() -> dict[str, str]:
    """The generated codecs by module."""
    files = emit_go_convert.emit(schema())
    return {path.rpartition("/")[2].removesuffix("_gen.go"): text for path, text in files.items()}


def test_a_guarded_field_is_read_by_its_getter_and_never_copied_with_its_mutex() -> None:
    assert "in.GetProps()" in codec_files()["post"]
    scheduled = codec_files()["scheduled_post"]
    assert "&in.Draft, AppendDraft)" in scheduled
    assert "structure(&f, parts[0], &out.Draft, parseDraft)" in scheduled


def test_what_an_answer_leaves_empty_is_not_merged() -> None:
    merges = codec_files()["merge"]
    assert 'if answer.Message != "" {\n\t\tout.Message = answer.Message\n\t}' in merges
    assert "mergeMap(&out.Props, answer.Props)" in merges
    assert "mergePointer(&out.Metadata, answer.Metadata, MergePostMetadata)" in merges


def test_a_hook_that_is_not_answered_returns_its_argument_where_the_schema_says_so() -> None:
    hooks = emit_go_service.emit(schema())["go/internal/service/hooks_client_gen.go"]
    body = hooks.split("func (h *HooksClient) MessageWillBeUpdated(", 1)[1].split("\n}\n", 1)[0]
    assert body.count('return newPost, ""') == 3  # not implemented, failed and allowed, no answer
    assert "return nil, reason" in body


def test_only_a_hook_with_a_rejection_reason_can_mean_unchanged() -> None:
    hooks = schema().service("Hooks")
    methods = tuple(
        dataclasses.replace(method, unchanged="newCfg")
        if method.go_name == "ConfigurationWillBeSaved"
        else method
        for method in hooks.methods
    )
    services = tuple(
        dataclasses.replace(service, methods=methods) if service.name == "Hooks" else service
        for service in schema().services
    )
    with pytest.raises(ValueError, match="ConfigurationWillBeSaved"):
        emit_go_service.emit(dataclasses.replace(schema(), services=services))


def test_a_handwritten_method_that_vanished_is_noticed() -> None:
    with pytest.raises(ValueError, match="LogAuditRec"):
        emit_go_netrpc.emit(golden_schema())


def test_variadic_parameters_are_handed_on_as_one_argument() -> None:
    text = emit_go_recorders.emit(golden_schema())[emit_go_recorders.PATH]
    assert 'func (call APIFunc) Log(pairs ...any) {\n\tcall("Log", pairs)\n}' in text


def test_two_go_types_in_one_wrapper_need_two_names() -> None:
    golden = golden_schema()
    names = golden.message("Thing").field("names")
    strange = dataclasses.replace(
        names, conversion=dataclasses.replace(names.conversion, go_type="model.Names")
    )
    files = tuple(
        dataclasses.replace(
            file,
            messages=tuple(
                dataclasses.replace(message, fields=(*message.fields, strange))
                if message.name == "Part"
                else message
                for message in file.messages
            ),
        )
        for file in golden.files
    )
    with pytest.raises(UnsupportedTypeError, match=r"both .* and "):
        emit_go_convert.emit(dataclasses.replace(golden, files=files))


@pytest.mark.parametrize(
    "conversion",
    [
        Conversion(
            ConversionKind.LIST,
            "[]model.Number",
            "int64",
            "list[int]",
            elem=Conversion(
                ConversionKind.SCALAR, "model.Number", "int64", "int", pb_go_type="int64", go_named=True
            ),
        ),
        Conversion(
            ConversionKind.MAP,
            "map[int]any",
            "map<int64, Value>",
            "dict[int, Any]",
            key=Conversion(ConversionKind.SCALAR, "int", "int64", "int", pb_go_type="int64", go_named=True),
            elem=Conversion(ConversionKind.VALUE, "any", "Value", "Any"),
        ),
    ],
)
def test_types_without_a_rule_are_refused(conversion: Conversion) -> None:
    with pytest.raises(UnsupportedTypeError, match="of"):
        GoCodecs(schema()).append(make_field("x", conversion), "in.X")


def test_imports_are_those_of_the_code_not_of_texts_and_comments() -> None:
    body = '// model.Post is not used.\nvar x = "time.Now" + saml2.Name // saml2.Other'
    text = go_file("p", body, PACKAGES, "// header\n")
    assert '\nimport (\nsaml2 "example.com/gosaml2"\n)\n' in text
    assert "model" not in text.split("import", 1)[1].split(")", 1)[0]


def test_imports_stand_in_groups() -> None:
    text = go_file("p", "var x = pluginpb.A(time.Now, model.B)", PACKAGES, "// header\n")
    assert text.index('"time"') < text.index("example.com/public/model") < text.index("/pluginpb")
    assert text.count("\n\n") >= 4


def test_parameters_hide_neither_packages_nor_keywords() -> None:
    assert parameter_names(["time", "type", "ctx", "post"], PACKAGES) == [
        "timeArg",
        "typeArg",
        "ctxArg",
        "post",
    ]


def test_a_signature_is_taken_apart() -> None:
    methods = {method.go_name: method for method in schema().service("API").methods}
    log = GoSignature.of(methods["LogDebug"], schema())
    assert [(param.name, param.type, param.argument) for param in log.params] == [
        ("msg", "string", "msg"),
        ("keyValuePairs", "...any", "keyValuePairs..."),
    ]
    assert log.results == ()
    named = GoSignature.of(methods["RegisterPluginForSharedChannels"], schema())
    assert named.results == ("string", "error")
    assert named.text == "RegisterPluginForSharedChannels(opts model.RegisterPluginOpts) (string, error)"


def test_zero_values_are_gos() -> None:
    types = [
        "*model.Post",
        "[]byte",
        "map[string]any",
        "error",
        "string",
        "bool",
        "int64",
        "model.Preference",
    ]
    expected = ["nil", "nil", "nil", "nil", '""', "false", "0", "model.Preference{}"]
    assert [zero(item) for item in types] == expected


def test_code_that_gofmt_refuses_is_named() -> None:
    with pytest.raises(ValueError, match=r"go/broken_gen\.go:3:"):
        format_go({"go/fine.go": "package p\n", "go/broken_gen.go": "package p\n\nfunc {\n"})


def test_every_generated_go_file_is_in_the_repository_as_generated() -> None:
    for emitter in (emit_go_convert, emit_go_service, emit_go_netrpc, emit_go_recorders):
        for path, text in emitter.emit(schema()).items():
            assert (ROOT / path).read_text(encoding="utf-8") == text, path
