"""Settings as the server stores them, in the author's dataclass."""

from __future__ import annotations

import logging
import traceback
from contextlib import suppress
from dataclasses import InitVar, dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, Flag, IntEnum, auto
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, TypedDict, TypeVar
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mattermost_plugin import SettingsError
from mattermost_plugin._runtime.configuration import fill
from mattermost_plugin.models import ChannelType

T = TypeVar("T")
UserId = NewType("UserId", str)


class Mode(str, Enum):
    REJECT = "reject"
    MASK = "mask"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Colour(Enum):
    RED = auto()
    GREEN = auto()


class Rights(Flag):
    READ = 1
    WRITE = 2


class Limits(TypedDict, total=False):
    per_day: int


class Point(NamedTuple):
    x: int
    y: int = 0


@dataclass
class Rule:
    pattern: str
    action: Literal["reject", "mask"] = "mask"
    children: list[Rule] = field(default_factory=list)


@dataclass
class Box(Generic[T]):
    content: T


@dataclass
class Settings:
    warn_after: int = 3
    bad_words: str = ""
    enabled: bool = False
    ratio: float = 0.5
    channels: list[str] = field(default_factory=list)
    limit: int | None = None
    anything: Any = None
    kept: str = field(default="own", init=False)


@dataclass
class Everything:
    action: Literal["reject", "mask", 3, True] | None = "mask"
    mode: Mode = Mode.MASK
    level: Level = Level.LOW
    colour: Colour = Colour.RED
    rights: Rights = Rights.READ
    numbers: tuple[int, ...] = ()
    pair: tuple[int, str] = (0, "")
    tags: set[str] = field(default_factory=set)
    frozen: frozenset[int] = frozenset()
    headers: dict[str, int | str] = field(default_factory=dict)
    by_level: dict[Level, list[bool]] = field(default_factory=dict)
    rules: list[Rule] = field(default_factory=list)
    rule: Rule | None = None
    limits: Limits = field(default_factory=Limits)
    point: Point = Point(0)  # noqa: RUF009 - cannot change
    box: Box[list[int]] | None = None
    owner: UserId = UserId("")
    short: Annotated[str, "at most 10"] = ""
    price: Decimal = Decimal(0)
    since: datetime | None = None
    folder: Path = Path()
    number: UUID | None = None
    channel_type: ChannelType = ChannelType.OPEN


def one(annotation: Any, **given: Any) -> Any:
    """Return a class with one field without a default."""
    return dataclass(type("One", (), {"__annotations__": {"value": annotation}, **given}))


def test_settings_reach_fields_of_the_same_letters() -> None:
    stored = {"warnafter": 5, "BadWords": "a,b", "ENABLED": True, "channels": ["x"], "limit": 7}
    assert fill(Settings, stored) == Settings(5, "a,b", True, channels=["x"], limit=7)


def test_missing_settings_keep_their_default_and_foreign_ones_are_left_out() -> None:
    assert fill(Settings, {"foreign": 1, "kept": "no"}) == Settings()


def test_text_and_whole_numbers_are_read_as_the_field_says() -> None:
    stored = {"warnafter": "12", "enabled": "true", "ratio": 2, "limit": 4.0, "anything": object}
    assert fill(Settings, stored) == Settings(12, enabled=True, ratio=2.0, limit=4, anything=object)


@pytest.mark.parametrize(
    ("name", "stored", "expected"),
    [
        ("action", "reject", "reject"),
        ("action", "3", 3),
        ("action", 3.0, 3),
        ("action", "true", True),
        ("mode", "reject", Mode.REJECT),
        ("level", 2.0, Level.HIGH),
        ("level", "2", Level.HIGH),
        ("colour", "GREEN", Colour.GREEN),
        ("rights", 3, Rights.READ | Rights.WRITE),
        ("numbers", ["1", 2.0], (1, 2)),
        ("pair", ["4", "x"], (4, "x")),
        ("tags", ["a", "b", "a"], {"a", "b"}),
        ("frozen", ["1"], frozenset({1})),
        ("headers", {"a": "1", "b": 2}, {"a": "1", "b": 2}),
        ("by_level", {"1": ["true", False]}, {Level.LOW: [True, False]}),
        (
            "rules",
            [{"Pattern": "x", "children": [{"pattern": "y", "Action": "reject"}]}],
            [Rule("x", children=[Rule("y", "reject")])],
        ),
        ("rule", {"pattern": "x"}, Rule("x")),
        ("limits", {"perDay": "3"}, {"per_day": 3}),
        ("point", {"x": "1"}, Point(1, 0)),
        ("box", {"content": ["1"]}, Box([1])),
        ("owner", "u1", "u1"),
        ("short", "x", "x"),
        ("price", "1.10", Decimal("1.10")),
        ("since", "2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)),
        ("folder", "/srv", Path("/srv")),
        ("number", "12345678-1234-5678-1234-567812345678", UUID("12345678-1234-5678-1234-567812345678")),
        ("channel_type", "P", ChannelType.PRIVATE),
    ],
)
def test_a_value_is_what_the_annotation_says(name: str, stored: Any, expected: Any) -> None:
    found = getattr(fill(Everything, {name: stored}), name)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("into", "stored", "said"),
    [
        (Settings, {"warnafter": "many"}, "setting warn_after should be int, but the server has a text"),
        (Settings, {"warnafter": True}, "warn_after should be int, but the server has a bool"),
        (Settings, {"warnafter": 1.5}, "warn_after should be int, but the server has a float"),
        (Settings, {"badwords": 3}, "bad_words should be str"),
        (Settings, {"enabled": "perhaps"}, "enabled should be bool"),
        (Settings, {"ratio": "inf"}, "ratio should be float"),
        (Settings, {"limit": "x"}, "limit should be int or None"),
        (Settings, {"channels": "x"}, "channels should be list, but the server has a text"),
        (Settings, {"channels": ["x", 1]}, r"channels\[1\] should be str, but the server has an int"),
        (Everything, {"action": "boom"}, "action should be 'reject' or 'mask' or 3 or True or None"),
        (Everything, {"mode": "boom"}, "mode should be 'reject' or 'mask', but the server has another value"),
        (Everything, {"level": True}, "level should be 1 or 2"),
        (Everything, {"rules": [{"pattern": "x", "action": "y"}]}, r"rules\[0\].action should be 'reject'"),
        (Everything, {"rules": [{}]}, r"rules\[0\].pattern should be str, but is not set"),
        (Everything, {"rule": {"pattern": 1}}, "rule.pattern should be str"),
        (Everything, {"headers": {"a": [1]}}, r"headers\['a'\] should be int or str"),
        (Everything, {"bylevel": {"5": []}}, r"by_level key \['5'\] should be 1 or 2"),
        (Everything, {"pair": [1]}, "pair should be a list of 2 values"),
        (Everything, {"since": "yesterday"}, "since should be a date and time in ISO format"),
        (Everything, {"numbers": {"a": 1}}, "numbers should be list, but the server has an object"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_name(into: Any, stored: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=f"{said}.*: set it in System Console > Plugins > Words$"):
        fill(into, stored, {"name": "Words"})


def test_everything_that_is_wrong_is_told_at_once_in_one_line() -> None:
    with pytest.raises(ValueError, match="warn_after should be int") as caught:
        fill(Settings, {"warnafter": "x", "enabled": "y", "channels": [1]})
    assert str(caught.value).startswith("settings warn_after")
    assert all(name in str(caught.value) for name in ("enabled", "channels[0]", "set them in"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("unset", [{}, {"value": None}])
@pytest.mark.parametrize("annotation", ["str", "int", "list[str]", "Mode"])
def test_a_field_without_default_must_be_set(unset: dict[str, Any], annotation: str) -> None:
    with pytest.raises(SettingsError, match=r"setting value should be .*, but is not set: set it in"):
        fill(one(annotation), unset)


def test_null_is_no_setting() -> None:
    names = ("warn_after", "bad_words", "enabled", "ratio", "channels", "limit", "anything")
    assert fill(Settings, dict.fromkeys(names)) == Settings()
    assert fill(one("str | None"), {"value": None}).value is None
    assert fill(one("Any"), {}).value is None


def test_an_empty_text_is_no_setting_where_no_text_can_be() -> None:
    assert fill(Settings, {"warnafter": "", "enabled": "", "channels": "", "limit": ""}) == Settings()
    assert fill(Settings, {"badwords": ""}).bad_words == ""
    assert fill(one("int | None"), {"value": ""}).value is None
    with pytest.raises(SettingsError, match="value should be int, but the server has an empty text"):
        fill(one("int"), {"value": ""})


def test_a_union_takes_the_member_that_fits_as_it_is() -> None:
    made = one("int | str | list[int]")
    assert [fill(made, {"value": value}).value for value in ("12", 12, ["1"])] == ["12", 12, [1]]
    assert fill(one("Rule | Box[int]"), {"value": {"content": 1}}).value == Box(1)


def test_what_only_post_init_gets_is_a_setting_too() -> None:
    @dataclass
    class Doubled:
        half: InitVar[int]
        whole: int = field(init=False)

        def __post_init__(self, half: int) -> None:
            self.whole = 2 * half

    Doubled.__annotations__["half"] = InitVar[int]
    Doubled.__annotations__["whole"] = int
    assert fill(Doubled, {"half": "4"}).whole == 8


@pytest.mark.parametrize("annotation", ["timedelta", "bytes", "list[timedelta]", "Rule | complex"])
def test_what_a_setting_cannot_be_is_said_at_once(annotation: str) -> None:
    with pytest.raises(TypeError, match=r"One\.value is .*, which a setting cannot be: use bool, int"):
        fill(one(annotation, value=None), {})
    assert timedelta is not None


def test_names_that_cannot_be_found_are_said() -> None:
    with pytest.raises(TypeError, match="annotations of One cannot be read: name 'Missing' is not defined"):
        fill(one("Missing"), {})


def test_two_fields_cannot_be_one_setting() -> None:
    @dataclass
    class Twice:
        a_b: int = 0
        ab: int = 0

    with pytest.raises(TypeError, match=r"Twice\.ab and \.a_b would be one setting"):
        fill(Twice, {})


@pytest.mark.parametrize("into", [dict, Settings(), 3])
def test_only_dataclasses_are_filled(into: Any) -> None:
    with pytest.raises(TypeError, match="needs a dataclass"):
        fill(into, {})


SECRET = "s3cret-value"
MANIFEST = {
    "name": "Keeper",
    "settings_schema": {
        "settings": [{"key": "Login", "type": "text", "secret": True}, {"key": "Made", "type": "generated"}],
        "sections": [{"key": "more", "settings": [{"key": "Inner", "type": "custom", "secret": True}]}],
    },
}


@dataclass
class Secrets:
    login: str | int = ""
    made: str = ""
    inner: Any = None
    rules: dict[str, Rule] = field(default_factory=dict)
    api_key: str = ""
    plain: str = ""


def test_secrets_are_not_in_the_repr_and_are_themselves_in_all_else() -> None:
    stored = {"login": SECRET, "made": SECRET, "inner": [{"x": SECRET}], "apikey": SECRET, "plain": "shown"}
    found = fill(Secrets, stored, MANIFEST)
    assert SECRET not in repr(found)
    assert "plain='shown'" in repr(found)
    assert found == Secrets(SECRET, SECRET, [{"x": SECRET}], api_key=SECRET, plain="shown")
    assert f"{found.api_key} {found.made}" == f"{SECRET} {SECRET}"


@given(
    st.sampled_from([int, float, bool, Mode, Level, list[int], Rule, UUID, Decimal, "Literal[1]"]), st.text()
)
def test_no_error_shows_a_value(annotation: Any, text: str) -> None:
    value = f"s3cret{text}"
    for stored in (value, [value], {"pattern": [value]}, {value: value}):
        with suppress(SettingsError):
            fill(one(annotation), {"value": stored})
            continue
        with pytest.raises(SettingsError) as caught:
            fill(one(annotation), {"value": stored})
        assert "s3cret" not in "".join(traceback.format_exception(caught.value))
        assert caught.value.__context__ is None


def test_a_log_record_of_a_refused_secret_has_no_value(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        try:
            fill(one("int"), {"value": SECRET})
        except SettingsError:
            logging.getLogger("settings").exception("no settings")
    assert "value should be int" in caplog.text
    assert SECRET not in caplog.text
