"""Our codec reads and writes what protobuf's own library does."""

from __future__ import annotations

import math
from typing import Any

import pytest
from google.protobuf.message import DecodeError as TheirError
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.lowered import MessageKind
from codegen.python_methods import request_message, response_message, unavailable
from mattermost_plugin._codec.decoders import decoder
from mattermost_plugin._codec.forms import Field, Form, parse
from mattermost_plugin._codec.messages import decode_message, encode_message
from mattermost_plugin._codec.plans import TUPLE, Plan, plan_of
from mattermost_plugin._codec.reading import read_message
from mattermost_plugin._codec.wire import MAX_DEPTH, DecodeError, chunk, varint
from mattermost_plugin._gen.api_methods import API
from mattermost_plugin._gen.driver_methods import DRIVER
from mattermost_plugin._gen.hook_methods import HOOKS, IMPLEMENTED
from mattermost_plugin.models import AutocompleteData, Post
from tests.codegen.repository import schema
from tests.contract.codecs import struct_types
from tests.contract.judge import in_order, keeps_entries, message_class, python_value
from tests.contract.malformed import MESSAGE, mutations
from tests.contract.values import PythonFiller, differences, same

MODELS = [message for message in struct_types(schema()) if not message.is_exception]
TABLES = {"Hooks": {**HOOKS, "implemented": IMPLEMENTED}, "API": API, "Driver": DRIVER}
METHODS = [item for service in schema().services for item in service.methods if not unavailable(item)]

#: What we refuse and the library takes: what Go's any or a time could not be, and what Go refuses too.
STRICTER = (
    "a number is longer than 64 bits",
    "case ",  # a case of a Value with another type on the wire
    "Value has a case",
    "a time is not in the years",
    "a list cannot",
    "a str cannot",
)


def plan_for(message: Any) -> Plan:
    return plan_of(f"{message.module}/{message.python_name}")


def ways(plan: Plan) -> list[Any]:
    """Return both ways of reading a message: field by field, and by its compiled function."""
    quick = Plan(plan.shape, plan.fields, place=plan.place, reference=plan.reference)
    quick.decode = decoder(quick)
    slow = Plan(plan.shape, plan.fields, place=plan.place, reference=plan.reference)
    slow.decode = lambda data, at, end, depth: read_message(slow, data, at, end, depth)
    return [quick, slow]


def check(name: str, plan: Plan, raw: bytes) -> None:
    """Check that we make of bytes what the library makes of them."""
    try:
        message = message_class(name).FromString(raw)
    except TheirError:
        for way in ways(plan):
            with pytest.raises(DecodeError):
                decode_message(way, raw)
        return
    for way in ways(plan):
        found = read(way, raw)
        wanted = python_value(name, message) if found is not None else None
        assert same(found, wanted) or keeps_entries(message), (name, raw)


def read(plan: Plan, raw: bytes) -> Any:
    """Return what we make of bytes; None: they are refused for a reason that only we have."""
    try:
        return decode_message(plan, raw)
    except DecodeError as error:
        if not str(error).startswith(STRICTER) and "of the Go kind" not in str(error):
            raise
    return None


@pytest.mark.parametrize("message", MODELS, ids=lambda message: message.name)
def test_models_become_the_bytes_that_protobuf_writes(message: Any) -> None:
    plan = plan_for(message)
    for seed in (1, 2, 3):
        value = in_order(PythonFiller(seed).value(message.name))
        raw = encode_message(plan, value)
        parsed = message_class(message.name).FromString(raw)
        parsed.DiscardUnknownFields()
        assert parsed.SerializeToString(deterministic=True) == raw
        for way in ways(plan):
            assert differences(value, decode_message(way, raw)) == []
    empty = encode_message(plan, plan.model())
    assert message_class(message.name).FromString(empty).SerializeToString(deterministic=True) == empty


@pytest.mark.parametrize("message", MODELS, ids=lambda message: message.name)
def test_bytes_that_are_nearly_a_model_are_read_as_protobuf_reads_them(message: Any) -> None:
    plan = plan_for(message)
    raw = encode_message(plan, PythonFiller(4).value(message.name))
    check(message.name, plan, b"")
    check(message.name, plan, raw)
    check(message.name, plan, raw + raw)  # all fields twice: lists grow, messages are merged
    check(message.name, plan, b"\xa2\x1f\x01x" + raw + b"\xf8\xff\xff\xff\x07\x01")  # what nobody knows
    for content in mutations(raw, 4, 40):
        check(message.name, plan, content)


@pytest.mark.parametrize("name", ["Post", "Config", "PostMetadata", "SamlAssertion", "UploadSession", "User"])
@settings(max_examples=150, deadline=None)
@given(raw=MESSAGE)
def test_any_bytes_are_read_as_protobuf_reads_them(name: str, raw: bytes) -> None:
    message = next(item for item in MODELS if item.name == name)
    check(name, plan_for(message), raw)


@settings(max_examples=300, deadline=None)
@given(raw=MESSAGE)
def test_any_bytes_are_a_value_where_protobuf_refuses_none(raw: bytes) -> None:
    plan = Plan(TUPLE, (Field(1, "value", Form("v")),))
    content = chunk(b"\x0a", raw)
    try:
        message_class("Value").FromString(raw)
    except TheirError:
        with pytest.raises(DecodeError):
            decode_message(plan, content)
    else:
        read(plan, content)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: f"{method.service}.{method.python_name}")
def test_the_tables_of_methods_are_what_the_proto_files_say(method: Any) -> None:
    entry = TABLES[method.service][method.python_name]
    for table, message in (
        (entry.request, request_message(schema(), method)),
        (entry.response, response_message(schema(), method)),
    ):
        assert_same_fields(parse(table), message.name)


@pytest.mark.parametrize("message", struct_types(schema()), ids=lambda message: message.name)
def test_the_tables_of_models_are_what_the_proto_files_say(message: Any) -> None:
    reference = message.name if message.is_exception else message.python_name
    assert_same_fields(plan_of(f"{message.module}/{reference}").fields, message.name)


KINDS = {
    "string": "se", "bool": "b", "int64": "i", "int32": "I", "uint64": "U", "uint32": "u", "bytes": "y",
    "double": "d", "float": "f",
}  # fmt: skip


def assert_same_fields(fields: tuple[Field, ...], name: str) -> None:
    described = {field.number: field for field in message_class(name).DESCRIPTOR.fields}
    assert {field.number: field.name for field in fields} == {
        number: field.name for number, field in described.items()
    }
    for field in fields:
        assert_same_form(field.form, described[field.number], field.name)


def assert_same_form(form: Form, described: Any, place: str) -> None:
    inner = described.message_type
    if form.kind == "{":
        assert inner.GetOptions().map_entry, place
        assert form.key is not None
        assert_same_form(form.key, inner.fields_by_name["key"], place)
        assert_same_form(form.inside, inner.fields_by_name["value"], place)
    elif form.kind == "[":
        assert described.is_repeated, place
        assert_same_kind(form.inside, described, place)
    else:
        assert not described.is_repeated, place
        assert_same_kind(form, described, place)
        assert described.has_presence == (form.presence == "?" or inner is not None), place


def assert_same_kind(form: Form, described: Any, place: str) -> None:
    inner = described.message_type
    if inner is None:
        kinds = {number: name.removeprefix("TYPE_").lower() for name, number in vars(type(described)).items()
                 if name.startswith("TYPE_")}  # fmt: skip
        assert form.kind in KINDS[kinds[described.type]], place
    elif form.kind == "(":
        (content,) = inner.fields
        assert content.number == 1, place
        assert_same_form(form.inside, content, place)
    else:
        name = {"v": "Value", "t": "Timestamp", "E": "Error"}.get(form.kind)
        assert inner.name == (name or form.reference.rpartition("/")[2]), place


@pytest.mark.parametrize("depth", [MAX_DEPTH - 1, MAX_DEPTH, MAX_DEPTH + 1, 5000])
def test_messages_are_refused_that_are_nested_deeper_than_protobuf_allows(depth: int) -> None:
    field = next(item for item in parse_of(AutocompleteData) if item.name == "sub_commands")
    raw = b""
    for _ in range(depth):
        raw = chunk(varint(field.number << 3 | 2), raw)
    plan = plan_of("command_autocomplete/AutocompleteData")
    for way in ways(plan):
        if depth <= MAX_DEPTH:
            assert decode_message(way, raw).sub_commands
        else:
            with pytest.raises(DecodeError, match="nested too deeply"):
                decode_message(way, raw)
    if depth <= MAX_DEPTH:
        assert message_class("AutocompleteData").FromString(raw) is not None
    else:
        with pytest.raises(TheirError):
            message_class("AutocompleteData").FromString(raw)


def parse_of(model: Any) -> tuple[Field, ...]:
    return plan_of(f"command_autocomplete/{model.__name__}").fields


@pytest.mark.parametrize(
    "raw",
    [
        b"\x5a\xff\xff\xff\xff\x07x",  # a text of 2 GB of which one byte is there
        b"\x5a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x",
        b"\x10" + b"\xff" * 9 + b"\x02",  # more than 64 bits
        b"\x10" + b"\x80" * 10 + b"\x00",
        b"\x00\x00",  # a field without a number
        b"\x5b" * 5000,  # groups without end
        b"\x5b\x5c",  # a group where a text belongs: nobody's
        b"\x5b\x64",  # ended by another one
        b"\x5c",
        b"\x5e\x00",
        b"\x5f\x00",
        b"\x58\x05",  # a number where a text belongs
        b"\x10\x85\x80\x80\x00",  # a number padded to four bytes
        b"\xda\x80\x80\x80\x00\x01x",  # a tag padded to five
        b"\xda\x80\x80\x80\x80\x00\x01x",
        b"\x5a\x81\x80\x80\x80\x00x",  # a length padded to five
        b"\x5a\x01a\x5a\x01b\x10\x05\x10\x06",  # the last one counts
        b"\x5a\x01\xff",
        b"\x72\x02\x0a\x00\x72\x00",  # entries without a key or a value
        b"\x72\x09\x12\x02\x18\x05\x0a\x01k\x20\x00",  # the value first, and a field that nobody knows
        b"\x72\x0d\x0a\x01k\x0a\x01l\x12\x02\x18\x05\x12\x00",
        b"\xca\x01\x00\xca\x01\x02\x12\x00",  # a message in two parts
    ],
)
def test_unusual_bytes_are_read_as_protobuf_reads_them(raw: bytes) -> None:
    check("Post", plan_of("post/Post"), raw)


NUMBERS = [
    ("[i", "repeated int64", [0, 1, -1, 2**63 - 1, -(2**63)]),
    ("[U", "repeated uint64", [0, 2**64 - 1]),
    ("[u", "repeated uint32", [0, 2**32 - 1]),
    ("[I", "repeated int32", [0, -1, 2**31 - 1, -(2**31)]),
    ("[b", "repeated bool", [True, False]),
    ("[d", "repeated double", [0.0, -0.0, 1.5, math.inf]),
    ("[f", "repeated float", [0.0, 1.5, -2.0]),
]


@pytest.mark.parametrize(("form", "declared", "numbers"), NUMBERS)
def test_lists_of_numbers_are_read_packed_or_not(form: str, declared: str, numbers: list[Any]) -> None:
    plan = Plan(TUPLE, parse(f"1 numbers {form}; 2 number {form[1:]}; 3 maybe ?{form[1:]}"), place="Test.")
    raw = encode_message(plan, (numbers, numbers[-1], numbers[0]))
    for way in ways(plan):
        assert decode_message(way, raw) == (numbers, numbers[-1], numbers[0])
    assert encode_message(plan, ([], type(numbers[0])(0), None)) == b""
    single = Plan(TUPLE, parse(f"1 number ?{form[1:]}"))
    unpacked = b"".join(encode_message(single, (number,)) for number in numbers)
    for way in ways(Plan(TUPLE, parse(f"1 numbers {form}"))):
        assert decode_message(way, unpacked) == (numbers,)
        packed = encode_message(way, (numbers,))
        assert decode_message(way, unpacked + packed) == (numbers + numbers,)
        with pytest.raises(DecodeError):
            decode_message(way, packed[:-1])
    with pytest.raises(TypeError, match=r"^Test\.numbers\[1\]: expected \w+, got str$"):
        encode_message(plan, ([numbers[0], "x"], numbers[0], None))


def test_a_number_beyond_its_type_is_cut_as_protobuf_does_it() -> None:
    plan = Plan(TUPLE, parse("1 a I; 2 b u; 3 c b"))
    number = varint(2**63 + 2**31 + 5)
    raw = b"\x08" + number + b"\x10" + number + b"\x18" + number
    for way in ways(plan):
        assert decode_message(way, raw) == (5 - 2**31, 2**31 + 5, True)


def test_every_kind_of_message_is_compared() -> None:
    kinds = {message.kind for message in schema().messages()}
    assert kinds == set(MessageKind)
    assert Post in {plan_for(message).model for message in MODELS}


@settings(max_examples=200, deadline=None)
@given(
    st.builds(
        Post,
        message=st.text(st.characters(codec="utf-8")),
        create_at=st.integers(-(2**63), 2**63 - 1),
        is_pinned=st.booleans(),
        file_ids=st.lists(st.text(st.characters(codec="utf-8"))),
        remote_id=st.none() | st.text(st.characters(codec="utf-8")),
        is_following=st.none() | st.booleans(),
    )
)
def test_posts_become_the_bytes_that_protobuf_writes(post: Post) -> None:
    raw = encode_message(plan_of("post/Post"), post)
    message = message_class("Post").FromString(raw)
    assert message.SerializeToString(deterministic=True) == raw
    assert (message.message, message.create_at, list(message.file_ids)) == (
        post.message, post.create_at, post.file_ids,
    )  # fmt: skip
    for way in ways(plan_of("post/Post")):
        assert decode_message(way, raw) == post
