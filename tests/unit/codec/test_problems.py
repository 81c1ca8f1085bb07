"""What cannot travel is refused with the name of the field and what it expects."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from mattermost_plugin._codec.messages import encode_message
from mattermost_plugin._codec.plans import plan_of
from mattermost_plugin.models import (
    Config,
    CustomStatus,
    MessageAttachment,
    Post,
    PostMetadata,
    ServiceSettings,
    User,
)


def encode(value: Any, model: str = "post/Post") -> bytes:
    return encode_message(plan_of(model), value)


def metadata(**changes: Any) -> PostMetadata:
    return PostMetadata(**changes)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"message": 3}, "Post.message: expected str, got int"),
        ({"message": None}, "Post.message: expected str, got None"),
        ({"create_at": "now"}, "Post.create_at: expected int, got str"),
        ({"create_at": 1.5}, "Post.create_at: expected int, got float"),
        ({"create_at": None}, "Post.create_at: expected int, got None"),
        ({"is_pinned": "yes"}, "Post.is_pinned: expected bool, got str"),
        ({"is_pinned": None}, "Post.is_pinned: expected bool, got None"),
        ({"remote_id": 3}, "Post.remote_id: expected str | None, got int"),
        ({"is_following": "yes"}, "Post.is_following: expected bool | None, got str"),
        ({"file_ids": "abc"}, "Post.file_ids: expected list[str], got str"),
        ({"file_ids": ["a", 3]}, "Post.file_ids[1]: expected str, got int"),
        ({"props": [1]}, "Post.props: expected dict[str, Any], got list"),
        ({"props": {3: 1}}, "Post.props[3]: expected str as key, got int"),
        (
            {"props": {"x": [0, 1, 2, {1}]}},
            "Post.props['x'][3]: a set cannot be sent there; send a dict, list, str or number",
        ),
        ({"participants": ["jane"]}, "Post.participants[0]: expected User, got str"),
        ({"participants": [User(username=3)]}, "User.username: expected str, got int"),  # type: ignore[arg-type]
        ({"metadata": {}}, "Post.metadata: expected PostMetadata | None, got dict"),
        ({"metadata": metadata(emojis=[None])}, "PostMetadata.emojis[0]: expected Emoji, got None"),
        (
            {"metadata": metadata(reactions={"a": 1})},
            "PostMetadata.reactions: expected list[Reaction], got dict",
        ),
    ],
)
def test_a_wrong_type_is_named(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(TypeError) as caught:
        encode(Post(**changes))
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"create_at": 2**63}, "Post.create_at: 9223372036854775808 does not fit Go's int64"),
        ({"message": "a\udc80"}, "Post.message: not valid Unicode (surrogates not allowed at position 1)"),
        (
            {"file_ids": ["\ud800"]},
            "Post.file_ids[0]: not valid Unicode (surrogates not allowed at position 0)",
        ),
        (
            {"props": {"n": 2**64}},
            "Post.props['n']: 18446744073709551616: a number outside -2**63 .. 2**64-1",
        ),
    ],
)
def test_what_does_not_fit_is_named(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole text is compared
        encode(Post(**changes))
    assert str(caught.value).startswith(text)


def test_something_that_is_no_model_is_refused() -> None:
    for value in (None, {}, MessageAttachment(), object()):
        with pytest.raises(TypeError, match=r"^expected Post, got "):
            encode(value)


def test_a_deleted_field_is_named() -> None:
    value = Post()
    del value.message
    with pytest.raises(TypeError, match=r"^Post\.message: has been deleted$"):
        encode(value)
    assert repr(value) == "Post()"


def test_a_struct_that_go_holds_by_value_cannot_be_none() -> None:
    value = Config()
    value.service_settings = None  # type: ignore[assignment]
    with pytest.raises(TypeError, match=r"^Config\.service_settings: expected ServiceSettings, got None$"):
        encode(value, "config/Config")
    nested = Config(service_settings=ServiceSettings(site_url=3))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^ServiceSettings\.site_url: expected str \| None, got int$"):
        encode(nested, "config/Config")


def test_times_need_a_zone() -> None:
    value = CustomStatus(expires_at=datetime(2024, 1, 1))  # noqa: DTZ001 - what is refused
    with pytest.raises(ValueError, match=r"CustomStatus\.expires_at: expected a time with a zone"):
        encode(value, "custom_status/CustomStatus")
    value.expires_at = 5  # type: ignore[assignment]
    with pytest.raises(TypeError, match=r"^CustomStatus\.expires_at: expected datetime, got int$"):
        encode(value, "custom_status/CustomStatus")


def test_a_tuple_is_as_good_as_a_list() -> None:
    assert encode(Post(file_ids=("a", "b"))) == encode(Post(file_ids=["a", "b"]))  # type: ignore[arg-type]


def test_none_for_a_list_is_an_empty_list() -> None:
    assert Post(file_ids=None).file_ids == []
    value = Post()
    value.file_ids = None  # type: ignore[assignment]
    encode(value)


def test_props_that_contain_themselves_are_refused() -> None:
    props: dict[str, Any] = {"plain": 1}
    props["self"] = [props]
    with pytest.raises(
        ValueError, match=r"^Post\.props\['self'\]: contains itself, or is nested too deeply$"
    ):
        encode(Post(props=props))
