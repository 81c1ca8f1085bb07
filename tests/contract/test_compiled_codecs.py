"""The codecs that the compiled core carries out do what those in Python do, which are the reference."""

from __future__ import annotations

import copy
import enum
import functools
import gc
import subprocess
import sys
import textwrap
import weakref
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.lowered import Method, MethodKind
from codegen.python_methods import error_is_value, request_fields, result_fields, unavailable
from mattermost_plugin import Reject, errors
from mattermost_plugin._codec import compiled, kinds, methods
from mattermost_plugin._codec.forms import parse
from mattermost_plugin._codec.method_codecs import python_codec
from mattermost_plugin._codec.wire import DecodeError, chunk, read_varint
from mattermost_plugin._compiled import compiled_layouts
from mattermost_plugin._gen.api_methods import API
from mattermost_plugin._gen.driver_methods import DRIVER
from mattermost_plugin._gen.hook_methods import HOOKS, IMPLEMENTED
from mattermost_plugin._model import Model, field_names
from mattermost_plugin.models import Context, MessageAttachment, Post, PostMetadata, PostPriority, User
from tests.codegen.repository import schema
from tests.contract.codecs import python_types, struct_types
from tests.contract.malformed import MESSAGE, mutations
from tests.contract.values import PythonFiller, same

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.skipif(compiled_layouts() is None, reason="the compiled core is not in use")

TABLES = {"Hooks": {**HOOKS, "implemented": IMPLEMENTED}, "API": API, "Driver": DRIVER}
CARRIED = [
    method
    for service in schema().services
    for method in service.methods
    if method.kind is MethodKind.UNARY and not unavailable(method) and not method.special
]
#: Models that are the content of requests and responses; exceptions are left to Python.
MODELS = [message for message in struct_types(schema()) if not message.is_exception]
SEEDS = (1, 2, 3)


class Color(str, enum.Enum):
    """A text that is also something else, as authors have it."""

    RED = "red"


class Level(enum.IntEnum):
    """A number that is also something else."""

    HIGH = 7


class Loud(str):
    """A text with ideas of its own of what it equals."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return not str.__eq__(self, str(other))

    def __ne__(self, other: object) -> bool:
        return str.__eq__(self, str(other))

    __hash__ = str.__hash__


class OwnPost(Post):
    """An author's own kind of post."""

    __slots__ = ()


NOON = datetime(2020, 1, 1, 12, tzinfo=timezone.utc)

#: What no field, or only some, should be given.
ODD: tuple[Any, ...] = (
    None, "", "text", "a\ud800", "zażółć 🎉", Color.RED, Loud(""), Loud("loud"), 0, 1, -1, True, False,
    Level.HIGH, 2**31, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 1.5,
    float("nan"), b"", b"\xff", bytearray(b"x"), [], (), [None], ["x"], ("x", "y"), ["\ud800"], [1], [True],
    [2**63], [[]], [{}], {}, {"a": "b"}, {"a": None}, {"a": 1}, {"a": b"x"}, {"\ud800": "b"}, {1: "b"},
    {"a": {"b": [1, None]}}, {Color.RED: "x"}, Post(), OwnPost(message="own"), [Post()], [User(), None],
    {"a": Post()},
    "x" * 5000, "é" * 5000, ["y" * 4096, "z"], {"k" * 9000: "é" * 5000}, b"z" * 70000, PostMetadata(),
    Context(), NOON.replace(tzinfo=None), NOON, object(), 1j, range(3),
    kinds.UnsignedInt(3), Reject("no"), ValueError("no"), errors.AppError("no"),
)  # fmt: skip


@dataclass(frozen=True)
class Returned:
    """What a codec returned."""

    value: Any


@dataclass(frozen=True)
class Raised:
    """What a codec raised."""

    kind: type[BaseException]
    text: str


def outcome(function: Callable[..., Any], *arguments: Any) -> Returned | Raised:
    try:
        return Returned(function(*arguments))
    except Exception as error:  # noqa: BLE001 - what is raised is compared
        return Raised(type(error), str(error))


def same_outcome(first: Returned | Raised, second: Returned | Raised) -> bool:
    if isinstance(first, Returned) and isinstance(second, Returned):
        return same(first.value, second.value)
    if isinstance(first, Raised) and isinstance(second, Raised) and first.kind is DecodeError:
        return second.kind is DecodeError  # which fault of the bytes is seen first may differ
    return first == second


def entry(method: Method) -> methods.Method:
    return TABLES[method.service][method.python_name]


def by_path(method: Method) -> str:
    return f"{method.service}.{method.python_name}"


def arguments_of(method: Method, seed: int) -> tuple[Any, ...]:
    filler = PythonFiller(seed)
    return tuple(filler.of(field.conversion) for field in request_fields(schema(), method))


def result_of(method: Method, seed: int) -> Any:
    filler = PythonFiller(seed)
    values = tuple(filler.of(field.conversion) for field in result_fields(method))
    return None if not values else values[0] if len(values) == 1 else values


class Pair:
    """The codec of a method as the compiled core has it, and the one in Python.

    Attributes:
        method: The method.
        left: How often the compiled one has left a message to the one in Python.
    """

    def __init__(self, method: Method) -> None:
        table = entry(method)
        self.method = method
        self.left = 0
        self.python = python_codec(table)
        self.compiled = self._compiled(table)

    def _compiled(self, table: methods.Method) -> methods.Codec:
        found = compiled.compiled_codec(table, self._load)
        assert found is not None
        return found

    def _load(self) -> methods.Codec:
        return methods.Codec(*(item and self._counted(item) for item in self.python))

    def _counted(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*values: Any) -> Any:
            self.left += 1
            return function(*values)

        return counted

    def check_request(self, arguments: tuple[Any, ...]) -> bytes:
        """Check what both make of arguments, and of what comes out; return it."""
        encoded = outcome(self.python.encode_request, *arguments)
        assert outcome(self.compiled.encode_request, *arguments) == encoded, arguments
        if isinstance(encoded, Raised):
            return b""
        self.check_raw_request(encoded.value)
        return bytes(encoded.value)

    def check_raw_request(self, raw: bytes) -> None:
        wanted = outcome(self.python.decode_request, raw)
        found = outcome(self.compiled.decode_request, raw)
        assert same_outcome(found, wanted), (raw, found, wanted)

    def check_response(self, result: Any) -> bytes:
        """Check what both make of results, and of what comes out; return it."""
        encoded = outcome(self.python.encode_response, result)
        assert outcome(self.compiled.encode_response, result) == encoded, result
        if isinstance(encoded, Raised):
            return b""
        self.check_raw_response(encoded.value)
        return bytes(encoded.value)

    def check_raw_response(self, raw: bytes) -> None:
        wanted = outcome(self.python.decode_response, raw)
        found = outcome(self.compiled.decode_response, raw)
        assert same_outcome(found, wanted), (raw, found, wanted)


@pytest.mark.parametrize("method", CARRIED, ids=by_path)
def test_full_values_become_the_same_bytes_and_come_back_the_same(method: Method) -> None:
    pair = Pair(method)
    for seed in SEEDS:
        pair.check_request(arguments_of(method, seed))
        pair.check_response(result_of(method, seed))


@pytest.mark.parametrize("method", CARRIED, ids=by_path)
def test_odd_arguments_and_results_have_the_same_outcome(method: Method) -> None:
    pair = Pair(method)
    # Every odd value meets every kind of parameter, over all methods.
    for odd in ODD[CARRIED.index(method) % 8 :: 8]:
        for index in range(len(request_fields(schema(), method))):
            arguments = list(arguments_of(method, 1))
            arguments[index] = odd
            pair.check_request(tuple(arguments))
        pair.check_request((odd,) * len(request_fields(schema(), method)))
        pair.check_response(odd)
        result = result_of(method, 1)
        for index in range(len(result) if isinstance(result, tuple) else 0):
            pair.check_response((*result[:index], odd, *result[index + 1 :]))


@pytest.mark.parametrize("method", CARRIED, ids=by_path)
def test_bytes_that_are_nearly_a_message_have_the_same_outcome(method: Method) -> None:
    pair = Pair(method)
    request = pair.check_request(arguments_of(method, 1))
    response = pair.check_response(result_of(method, 1))
    for raw in mutations(request, 1, 25):
        pair.check_raw_request(raw)
    for raw in mutations(response, 2, 25):
        pair.check_raw_response(raw)


@pytest.mark.parametrize(
    "method", [item for item in CARRIED if item.error is not None and not error_is_value(item)], ids=by_path
)
def test_errors_have_the_same_outcome(method: Method) -> None:
    pair = Pair(method)
    for error in (
        errors.AppError("gone", id="app.x", status_code=404),
        errors.ServerError("gone"),
        KeyError("a"),
    ):
        assert pair.compiled.encode_error is not None
        assert pair.python.encode_error is not None
        raw = pair.compiled.encode_error(error)
        assert raw == pair.python.encode_error(error)
        pair.check_raw_response(raw)


class Struct:
    """A struct as the only field of a message, in both codecs."""

    def __init__(self, name: str, reference: str) -> None:
        engine: Any = compiled_layouts()
        assert compiled.layout_of(reference) is not None  # what starts the engine
        table = engine.Layout(None, ((1, "value", "m", reference),))
        self.left = 0
        self._type = python_types()[name]
        self._encode = engine.Encoder(table, self._left_to(self.python_encode))
        self._decode = engine.Decoder(table, self._left_to(self.python_decode))

    def _left_to(self, codec: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def reference(value: Any) -> Any:
            self.left += 1
            return codec(value)

        return reference

    def python_encode(self, value: Any) -> bytes:
        return chunk(b"\x0a", self._type.encode(value))

    def python_decode(self, raw: bytes) -> tuple[Any]:
        assert raw[0] == 0x0A
        size, at = read_varint(raw, 1)
        assert len(raw) == at + size
        return (self._type.decode(raw[at:]),)

    def check_value(self, value: Any) -> bytes:
        encoded = outcome(self.python_encode, value)
        found = outcome(self._encode, value)
        if isinstance(encoded, Raised) or isinstance(found, Raised):
            assert found == encoded, (value, found, encoded)
            return b""
        assert found == encoded, value
        self.check_raw(encoded.value)
        return bytes(encoded.value)

    def check_raw(self, raw: bytes) -> None:
        wanted = outcome(self.python_decode, raw)
        found = outcome(self._decode, raw)
        assert same_outcome(found, wanted), (raw, found, wanted)


def struct_of(message: Any) -> Struct:
    return Struct(message.name, f"{message.module}/{message.python_name}")


def model_of(message: Any) -> type[Model]:
    found: type[Model] = getattr(
        import_module(f"mattermost_plugin.models.{message.module}"), message.python_name
    )
    return found


@pytest.mark.parametrize("message", MODELS, ids=lambda message: message.name)
def test_every_field_of_every_model_has_the_same_outcome(message: Any) -> None:
    struct = struct_of(message)
    for seed in SEEDS:
        struct.check_value(PythonFiller(seed).value(message.name))
    model = model_of(message)
    struct.check_value(model())
    full = PythonFiller(1).value(message.name)
    for number, name in enumerate(field_names(model)):
        only = model()
        setattr(only, name, getattr(full, name))
        struct.check_value(only)
        without = copy.copy(full)
        delattr(without, name)
        struct.check_value(without)
        # Every odd value meets every kind of field, over all models.
        step = 8 if len(field_names(model)) < 40 else len(ODD)
        for odd in ODD[(number + len(message.name)) % step :: step]:
            changed = model()
            setattr(changed, name, odd)
            struct.check_value(changed)


@pytest.mark.parametrize("message", MODELS, ids=lambda message: message.name)
def test_bytes_that_are_nearly_a_model_have_the_same_outcome(message: Any) -> None:
    struct = struct_of(message)
    raw = struct.python_encode(PythonFiller(4).value(message.name))
    _, start = read_varint(raw, 1)
    for content in mutations(raw[start:], 4, 30):
        struct.check_raw(chunk(b"\x0a", content))


@settings(max_examples=200, deadline=None)
@given(raw=MESSAGE)
def test_any_bytes_have_the_same_outcome(raw: bytes) -> None:
    pair = pair_of("MessageWillBePosted")
    pair.check_raw_request(raw)
    pair.check_raw_response(raw)


@functools.cache
def pair_of(go_name: str) -> Pair:
    return Pair(next(method for method in CARRIED if method.go_name == go_name))


def has_other(fields: Any, seen: frozenset[str] = frozenset()) -> bool:
    """Whether tables have something that is left to Python, at any depth."""
    for _, _, form, *references in fields:
        if form[-1] == "o":
            return True
        if form[-1] == "m" and not seen.issuperset(references):
            module, _, name = references[0].partition("/")
            table = import_module(f"mattermost_plugin._gen.layouts.{module}").LAYOUTS[name]
            if has_other(compiled.entries(parse(table)), seen | {*references}):
                return True
    return False


@pytest.mark.parametrize("method", CARRIED, ids=by_path)
def test_only_what_the_tables_leave_out_is_left_to_python(method: Method) -> None:
    pair = Pair(method)
    arguments, results = (
        compiled.entries(parse(table)) for table in (entry(method).request, entry(method).response)
    )
    left = []
    for codec, values in (
        (pair.compiled.encode_request, arguments_of(method, 1)),
        (pair.compiled.decode_request, (pair.python.encode_request(*arguments_of(method, 1)),)),
        (pair.compiled.encode_response, (result_of(method, 1),)),
        (pair.compiled.decode_response, (pair.python.encode_response(result_of(method, 1)),)),
    ):
        before = pair.left
        codec(*values)
        left.append(pair.left - before)
    assert left == [has_other(arguments)] * 2 + [has_other(results)] * 2


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**65)
    | st.floats()
    | st.text()
    | st.binary()
    | st.builds(MessageAttachment, title=st.text(max_size=2))
    | st.sampled_from([Color.RED, Level.HIGH, Loud("a"), NOON, "é" * 5000]),
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(value=VALUES)
def test_whatever_any_holds_has_the_same_outcome(value: Any) -> None:
    pair_of("MessageHasBeenPosted").check_request((Context(), Post(props={"value": value})))


def nested(depth: int) -> Any:
    value: Any = "innermost"
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("post", "times"),
    [
        (Post(message="a", props={"n": [1, {"b": None}], "t": True, "f": 1.5}), 0),
        (Post(message=Color.RED, props={Color.RED: 1}), 0),
        (Post(file_ids=("a", "b"), participants=[User(username="u")], metadata=PostMetadata()), 0),
        (Post(props={"deep": nested(200)}), 0),
        (Post(file_ids=None), 0),
        (Post(props={"kinds": [kinds.UnsignedInt(3)], "time": NOON}), 0),
        (Post(message=Loud("a")), 1),
        (Post(message=b"a"), 1),
        (Post(create_at=True), 1),
        (Post(create_at=Level.HIGH), 1),
        (Post(is_pinned=1), 1),
        (Post(metadata=PostMetadata(priority=PostPriority(priority=1))), 1),
        (Post(props={"a": object()}), 1),
        (Post(participants=range(0)), 1),
        (OwnPost(), 1),
        (None, 1),
    ],
)
def test_what_is_ordinary_is_encoded_without_python(post: Any, times: int) -> None:
    pair = Pair(next(method for method in CARRIED if method.go_name == "MessageHasBeenPosted"))
    outcome(pair.compiled.encode_request, Context(), post)
    assert pair.left == times


@pytest.mark.parametrize(
    ("raw", "times"),
    [
        (b"", 0),
        (b"\x0a\x00\x12\x00", 0),
        (b"\xfa\x01\x01x\x0a\x00", 0),  # a field that nobody knows
        (b"\x12\x04\x5a\x02hi\x12\x00", 1),  # a second post, to be merged with the first
        (b"\x12\x03\x5a\x01\xff", 1),  # not UTF-8
        (b"\x12\x03\x5a\x02h", 1),  # cut short
        (b"\x12\x02\x58\x01", 1),  # a number where a text belongs
        (b"\x12\x03\x5b\x5c\x00", 1),  # a group
        (b"\x82\x80\x80\x80\x80\x00\x00", 1),  # a tag of six bytes
    ],
)
def test_what_is_ordinary_is_decoded_without_python(raw: bytes, times: int) -> None:
    pair = Pair(next(method for method in CARRIED if method.go_name == "MessageHasBeenPosted"))
    outcome(pair.compiled.decode_request, raw)
    assert pair.left == times
    pair.check_raw_request(raw)


def test_other_kinds_of_bytes_are_left_to_python() -> None:
    pair = pair_of("MessageHasBeenPosted")
    raw = pair.python.encode_request(Context(), Post(message="x"))
    assert same(pair.compiled.decode_request(bytearray(raw)), pair.python.decode_request(raw))


def test_a_list_that_shrinks_while_it_is_encoded_does_no_harm() -> None:
    posts: list[Any] = []

    class Shrinking(dict[str, Any]):
        def items(self) -> Any:
            posts.clear()
            return super().items()

    posts += [Post(message=str(number)) for number in range(9)]
    posts.append(Post(props={"x": Shrinking(a=1)}))
    outcome(pair_of("MessagesWillBeConsumed").compiled.encode_request, posts)
    assert posts == []


def test_a_dict_that_changes_while_it_is_encoded_does_no_harm() -> None:
    props: dict[str, Any] = {}

    class Growing(dict[str, Any]):
        def items(self) -> Any:
            props.update({str(number): 1 for number in range(1000)})
            del props["self"]
            return super().items()

    props["self"] = Growing(a=1)
    outcome(pair_of("MessageHasBeenPosted").compiled.encode_request, Context(), Post(props=props))
    assert "self" not in props


def test_what_is_half_decoded_is_not_found_by_the_garbage_collector() -> None:
    run_alone(
        """
        import gc
        from mattermost_plugin._codec import values
        from mattermost_plugin._gen.hook_methods import HOOKS
        from mattermost_plugin.models import Context, Post

        decode_value = values.decode_value
        half = []

        def look(raw):
            posts = [item for item in gc.get_objects() if type(item) is Post]
            half.extend(post for post in posts if not hasattr(post, "metadata"))
            return decode_value(raw)

        values.decode_value = look
        codec = HOOKS["message_has_been_posted"].codec
        raw = codec.encode_request(Context(), Post(props={"a": b"x"}))
        context, post = codec.decode_request(raw)
        assert post.props == {"a": b"x"}
        assert half == []
        assert gc.is_tracked(post)
        """
    )


def test_cycles_through_decoded_models_are_collected() -> None:
    pair = pair_of("MessageHasBeenPosted")
    raw = pair.python.encode_request(Context(), Post(message="x"))
    arguments = pair.compiled.decode_request(raw)
    assert gc.is_tracked(arguments)
    arguments[1].props["itself"] = arguments
    gone = weakref.ref(tracer := Tracer())
    arguments[1].props["tracer"] = tracer
    del arguments, tracer
    gc.collect()
    assert gone() is None


class Tracer:
    """Something that can be referred to weakly."""


@pytest.mark.parametrize(
    "go_name", ["MessageWillBePosted", "GetPostsForChannel", "ExecuteSlashCommand", "LogInfo", "GetConfig"]
)
def test_no_reference_is_kept_or_lost(go_name: str) -> None:
    pair = pair_of(go_name)
    method = pair.method
    arguments, result = arguments_of(method, 1), result_of(method, 1)
    request = pair.python.encode_request(*arguments)
    response = pair.python.encode_response(result)
    broken = [*mutations(request, 5, 5), *mutations(response, 6, 5)]

    def once() -> None:
        pair.compiled.encode_request(*arguments)
        pair.compiled.decode_request(request)
        pair.compiled.encode_response(result)
        pair.compiled.decode_response(response)
        outcome(pair.compiled.encode_request, *[object() for _ in arguments])
        outcome(pair.compiled.encode_response, object())
        for raw in broken:
            outcome(pair.compiled.decode_request, raw)
            outcome(pair.compiled.decode_response, raw)

    # Python keeps things of their own at first, fewer from round to round. What is kept
    # or lost by each call never falls below one for each.
    kept: list[int] = []
    while not kept or kept[-1] >= ROUND // 2:
        assert len(kept) < 20, kept
        kept.append(growth(once))


#: How often something is done before memory is looked at.
ROUND = 40


def growth(once: Callable[[], None]) -> int:
    """Return by how much the objects, or the references to shared ones, have become more or fewer."""
    gc.collect()
    before = [sys.getallocatedblocks(), *counts_of_shared_objects()]
    for _ in range(ROUND):
        once()
    gc.collect()
    after = [sys.getallocatedblocks(), *counts_of_shared_objects()]
    return max(abs(new - old) for new, old in zip(after, before, strict=True))


def counts_of_shared_objects() -> list[int]:
    """The references to what codecs hand out without making it; they do not change where it is immortal."""
    return [sys.getrefcount(item) for item in (None, True, False, "", b"", 0, (), Post, Context, User)]


def run_alone(code: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr


def test_another_interpreter_in_the_process_uses_the_codecs_in_python() -> None:
    run_alone(
        """
        try:
            import _interpreters as interpreters
        except ImportError:
            import _xxsubinterpreters as interpreters
        from mattermost_plugin._compiled import compiled_layouts

        assert compiled_layouts() is not None
        other = interpreters.create()
        code = "from mattermost_plugin._compiled import compiled_layouts; assert compiled_layouts() is None"
        failed = interpreters.run_string(other, code)
        assert failed is None, failed
        """
    )


def test_a_second_copy_of_the_engine_is_refused() -> None:
    run_alone(
        """
        import importlib, sys
        from mattermost_plugin._compiled import compiled_layouts

        assert compiled_layouts() is not None
        del sys.modules["mattermost_plugin_speed._layouts"]
        try:
            importlib.import_module("mattermost_plugin_speed._layouts")
        except ImportError as error:
            assert "once" in str(error)
        else:
            raise AssertionError
        """
    )


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        ("Post", ()),
        (None, []),
        (None, ((1, "a"),)),
        (None, ((1, "a", "x"),)),
        (None, ((1, "a", ""),)),
        (None, ((1, "a", "ss"),)),
        (None, ((1, "a", "m"),)),
        (None, ((1, "a", "s", "post/Post"),)),
        (None, ((1, "a", "[i"),)),
        (None, ((1, "a", "!"), (2, "b", "s"))),
        (Post, ((1, "unknown", "s"),)),
        (Post, ((1, "__init__", "s"),)),
        (Post, ("no tuple",)),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(model: Any, fields: Any) -> None:
    engine: Any = compiled_layouts()
    with pytest.raises((TypeError, ValueError, AttributeError, SystemError)):
        engine.Layout(model, fields)
