"""What Go's `any` may hold travels as plain Python values and keeps its Go type."""

from __future__ import annotations

import contextlib
import copy
import enum
import math
import pickle
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mattermost_plugin import API
from mattermost_plugin._codec import kinds
from mattermost_plugin._codec.json_values import json_object
from mattermost_plugin._codec.values import decode_value, encode_value
from mattermost_plugin._codec.wire import CHUNK, VARINT, DecodeError, chunk, varint
from mattermost_plugin._gen.value_cases import GO_KIND, GO_KINDS, INT64, LIST, REGISTERED, STRING, UINT64
from mattermost_plugin.errors import AppError, IntegrityError, NotFound, ServerError
from mattermost_plugin.models import (
    ChannelType,
    FileInfo,
    MessageAttachment,
    Post,
    PostList,
    PostSearchResults,
    PreviewPost,
    PropertyOwner,
    RateLimitSettings,
    WebsocketBroadcast,
)

# Everything that UTF-8 can hold.
texts = st.text(st.characters(codec="utf-8"))
scalars = (
    st.none()
    | st.booleans()
    | st.integers(min_value=-(2**63), max_value=2**64 - 1)
    | st.floats(allow_nan=False)
    | texts
    | st.binary()
    | st.complex_numbers(allow_nan=False)
)
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


def same(first: Any, second: Any) -> bool:
    """Equality that tells `1`, `1.0` and `True` apart."""
    if isinstance(first, (list, tuple)):
        return len(first) == len(second) and all(map(same, first, second))
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[key], second[key]) for key in first)
    plain = type(first)
    return bool(isinstance(second, plain) and first == second)


@settings(deadline=None)  # other work on the machine must not fail it
@given(trees)
def test_plain_values_come_back(value: Any) -> None:
    assert same(value, decode_value(encode_value(value)))


numbers = st.integers(0, 25)
small_fields = st.one_of(
    st.builds(lambda number, value: varint(number << 3) + varint(value), numbers, st.integers(0, 2**64)),
    st.builds(lambda number, value: chunk(varint(number << 3 | 2), value), numbers, st.binary(max_size=9)),
    st.builds(lambda number, value: varint(number << 3 | 1) + value, numbers, st.binary(max_size=8)),
    st.builds(lambda number, value: varint(number << 3 | 5) + value, numbers, st.binary(max_size=4)),
)


@settings(deadline=None)
@example(b"Z\x02\x08\x00")
@example(b"j\x01\x08")
@example(b"J\x02\x08\x00")
@example(b"B\x02\x08\x00")
@given(st.binary(max_size=60) | st.lists(small_fields, max_size=3).map(b"".join))
def test_any_bytes_are_a_value_or_a_decoding_error(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        encode_value(decode_value(data))


def test_not_a_number_comes_back() -> None:
    assert math.isnan(decode_value(encode_value(math.nan)))


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 128, 129, 16383, 16384, 70000])
def test_lengths_around_the_borders_of_varints(size: int) -> None:
    for value in ("x" * size, b"x" * size, ["y" * size], {"k" * size: "v" * size}, [1] * size):
        assert decode_value(encode_value(value)) == value


def test_integers_take_the_type_they_fit() -> None:
    assert encode_value(2**63 - 1)[0] == INT64 << 3
    assert encode_value(-(2**63))[0] == INT64 << 3
    assert encode_value(2**63)[0] == UINT64 << 3
    for value in (2**64, -(2**63) - 1):
        with pytest.raises(ValueError, match=f"{value}: a number outside"):
            encode_value(value)


def test_a_small_uint64_of_go_stays_one() -> None:
    data = varint(UINT64 << 3) + varint(7)
    value = decode_value(data)
    assert value == 7
    assert isinstance(value, int)
    assert encode_value(value) == data
    assert decode_value(encode_value([value]))[0].__class__ is kinds.UnsignedInt


def of_kind(kind: str) -> bytes:
    """Return a `Value` as Go sends it for a value of that type."""
    head = varint(GO_KIND << 3 | VARINT) + varint(GO_KINDS[kind])
    element = kind.removesuffix("_SLICE")
    samples: dict[str, Any] = {"BOOL": True, "STRING": "a", "BYTES": b"a", "STRING_MAP": {"a": "b"}}
    if element.startswith("FLOAT"):
        sample: Any = 1.5
    elif element.startswith("COMPLEX"):
        sample = 1 + 2j
    elif element in samples:
        sample = samples[element]
    else:
        sample = kinds.UnsignedInt(3) if element.startswith("UINT") else -3
    return head + encode_value([sample, sample] if kind.endswith("_SLICE") else sample)


def plain(value: Any) -> Any:
    base = next(base for base in (list, dict, int, float, complex) if isinstance(value, base))
    return base(value)


@pytest.mark.parametrize("kind", GO_KINDS)
def test_a_value_of_each_go_type_goes_back_as_that_type(kind: str) -> None:
    value = decode_value(of_kind(kind))
    again = encode_value(value)
    assert again != encode_value(plain(value))
    returned = decode_value(again)
    assert type(returned) is type(value) is kinds.KINDS[GO_KINDS[kind]]
    assert returned == value
    assert same(copy.deepcopy(value), value)
    assert type(copy.deepcopy(value)) is type(value)
    assert type(pickle.loads(pickle.dumps(value))) is type(value)


@pytest.mark.parametrize("kind", [kind for kind in GO_KINDS if kind.endswith("_SLICE")])
def test_an_empty_slice_keeps_its_type(kind: str) -> None:
    empty = kinds.KINDS[GO_KINDS[kind]]()
    assert type(decode_value(encode_value(empty))) is type(empty)


def test_a_typed_slice_that_got_something_else_becomes_a_list_of_anything() -> None:
    value = decode_value(of_kind("INT_SLICE"))
    value.append("text")
    assert type(decode_value(encode_value(value))) is list
    unsigned = decode_value(of_kind("UINT64_SLICE"))
    unsigned.append(4)
    assert type(decode_value(encode_value(unsigned))) is kinds.KINDS[GO_KINDS["UINT64_SLICE"]]
    unsigned.append(-1)
    assert type(decode_value(encode_value(unsigned))) is list
    strings = decode_value(of_kind("STRING_MAP"))
    strings["n"] = 1
    assert type(decode_value(encode_value(strings))) is dict


def test_arithmetic_leaves_the_go_type_behind() -> None:
    value = decode_value(of_kind("INT8"))
    assert type(value + 1) is int


def test_subclasses_travel_as_what_they_are() -> None:
    class Colour(enum.IntEnum):
        RED = 3

    class Text(str):
        __slots__ = ()

    assert decode_value(encode_value(Colour.RED)) == 3
    assert decode_value(encode_value(Text("x"))) == "x"
    assert decode_value(encode_value(ChannelType.OPEN)) == "O"
    assert decode_value(encode_value((1, "x"))) == [1, "x"]
    assert decode_value(encode_value(bytearray(b"x"))) == b"x"


def test_times_come_back_as_the_same_instant() -> None:
    here = datetime(2024, 2, 29, 23, 59, 59, 123456, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    returned = decode_value(encode_value(here))
    assert returned == here
    assert returned.utcoffset() == timedelta(0)
    with pytest.raises(ValueError, match=r"^\['at'\]: expected a time with a zone"):
        encode_value({"at": datetime(2024, 1, 1)})  # noqa: DTZ001 - a naive time is what is refused


def test_registered_types_come_back_as_their_models() -> None:
    attachments = [MessageAttachment(title="a", fields=[]), MessageAttachment(title="b")]
    for value in (
        attachments,
        [PropertyOwner(id="x")],
        PreviewPost(post_id="p", post=Post(message="m")),
    ):
        assert decode_value(encode_value({"x": value})) == {"x": value}


def test_an_empty_list_of_a_registered_type_stays_one() -> None:
    number = next(number for number, entry in REGISTERED.items() if entry.message == "MessageAttachmentList")
    empty = decode_value(chunk(varint(number << 3 | CHUNK), b""))
    assert empty == []
    assert encode_value(empty) == chunk(varint(number << 3 | CHUNK), b"")


def test_errors_inside_a_value_come_back() -> None:
    for error in (
        NotFound("gone", id="x"),
        IntegrityError("dup", sqlstate="23505"),
        ServerError("eof", code=1),
    ):
        returned = decode_value(encode_value([error, None]))[0]
        assert type(returned) is type(error)
        assert {**vars(returned)} == {**vars(error)}
    assert isinstance(decode_value(encode_value(AppError("x", status_code=418))), AppError)


def test_the_place_of_what_cannot_travel_is_named() -> None:
    with pytest.raises(
        TypeError,
        match=r"^\['a'\]\[1\]\['b'\]: a set cannot be sent there; send a dict, list, str or number$",
    ):
        encode_value({"a": [0, {"b": {1}}]})
    with pytest.raises(TypeError, match=r"^\[3\]: expected str as key, got int$"):
        encode_value({3: "x"})
    with pytest.raises(
        ValueError, match=r"^\['k'\]: not valid Unicode \(surrogates not allowed at position 1\)"
    ):
        encode_value({"k": "a\ud800"})
    with pytest.raises(ValueError, match=r"not valid Unicode"):
        encode_value({"\ud800": 1})
    with pytest.raises(TypeError, match=r"MessageAttachment.title: expected str, got int"):
        encode_value([MessageAttachment(title=3)])  # type: ignore[arg-type]


def test_a_value_that_contains_itself_is_refused() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(RecursionError):
        encode_value(value)


@pytest.mark.parametrize(
    "data",
    [
        b"\x32\x05x",  # a string cut short
        b"\x18",  # a number cut short
        b"\x18" + b"\xff" * 11,  # a varint without end
        b"\x2a\x08abc",  # a double cut short
        b"\x2a\x03abc",  # a double of three bytes
        b"\x38\xff\xff\xff\xff\x7f",  # bytes that are a number
        b"\x1a\x01x",  # a number that is bytes
        b"\x08\x01\x32\x01x",  # a text of the Go kind int
        b"\x37",  # a group
        chunk(varint(LIST << 3 | CHUNK), b"\x0a\x05x"),
        chunk(varint(STRING << 3 | CHUNK), b"\xff"),
        chunk(varint(500 << 3 | CHUNK), b""),
    ],
)
def test_malformed_values_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - DecodeError, UnicodeDecodeError or the message of the case
        decode_value(data)
    assert issubclass(DecodeError, ValueError)


class Level(enum.Enum):
    HIGH = 2


@dataclass
class Note:
    text: str
    by: Post | None = None


def test_models_dataclasses_and_enums_travel_as_json_has_them() -> None:
    sent = {"post": Post(id="p"), "note": Note("n", Post(message="m")), "level": Level.HIGH}
    found = decode_value(encode_value([sent["post"], sent["note"], sent["level"], 1]))
    assert (found[0]["id"], found[1]["by"]["message"], found[2]) == ("p", "m", 2)
    assert "filenames" not in found[0]


def test_json_names_are_the_servers() -> None:
    found = json_object(
        {
            "info": FileInfo(creator_id="u", path="/secret"),
            "status": PostSearchResults(post_list=PostList(order=["a"])),
            "config": RateLimitSettings(per_sec=3),
        },
        "payload",
    )
    assert found["info"]["user_id"] == "u"
    assert not {"path", "creator_id"} & set(found["info"])
    assert found["status"]["order"] == ["a"]
    assert found["config"]["PerSec"] == 3


def test_values_of_python_are_those_of_json() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
    values = {"at": moment, "day": moment.date(), "number": Decimal("1.5"), "set": {1}, "pair": [1, None]}
    assert json_object(values, "payload") == {
        "at": "2026-01-02T03:04:05+00:00",
        "day": "2026-01-02",
        "number": "1.5",
        "set": [1],
        "pair": [1, None],
    }


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({"a": [{"b": object()}]}, r"payload\['a'\]\[0\]\['b'\]: a object cannot be sent there; send a dict"),
        ({"a": {1: "x"}}, r"payload\['a'\]\[1\]: expected str as key, got int"),
        ({"n": Note(text={3: object()})}, r"payload\['n'\]\['text'\]\[3\]: expected str as key, got int"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_sent_is_named_by_its_place(payload: dict[str, Any], said: str) -> None:
    api = API(lambda *_: b"")
    with pytest.raises(TypeError, match=said):
        api.publish_websocket_event("changed", payload, WebsocketBroadcast())


def test_what_contains_itself_is_refused() -> None:
    endless: dict[str, Any] = {}
    endless["again"] = endless
    with pytest.raises(ValueError, match="payload: contains itself"):
        json_object(endless, "payload")
