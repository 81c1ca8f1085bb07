"""Models behave as keyword-only dataclasses with slots."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import typing
from datetime import datetime, timezone
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from codegen.python_types import models as model_messages
from mattermost_plugin import models
from mattermost_plugin._annotations import field_types
from mattermost_plugin._model import Model, field_names
from mattermost_plugin.models import Channel, Config, CustomStatus, Post, ServiceSettings, User
from tests.codegen.repository import schema

if TYPE_CHECKING:
    from codegen.lowered import Message

MESSAGES = list(model_messages(schema()))
CLASSES: list[type[Model]] = [getattr(models, message.python_name) for message in MESSAGES]


def test_every_type_of_the_contract_is_a_public_model() -> None:
    assert {"Post", "User", "Config", "SamlAssertionInfo", "SyncMsg", "License", "Manifest"} <= set(
        models.__all__
    )
    assert {message.python_name for message in MESSAGES} <= set(models.__all__)
    assert {enum.name for enum in schema().enums()} <= set(models.__all__)
    for name in models.__all__:
        assert getattr(models, name).__module__ == f"mattermost_plugin.models.{models._MODULES[name]}"
        assert name in dir(models)


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.python_name)
def test_a_model_has_the_fields_of_its_go_struct(message: Message) -> None:
    model = getattr(models, message.python_name)
    names = [field.python_name for field in message.fields]
    assert list(field_names(model)) == names
    assert [field.name for field in dataclasses.fields(model)] == names
    parameters = inspect.signature(model).parameters
    assert list(parameters) == names
    assert all(item.kind is inspect.Parameter.KEYWORD_ONLY for item in parameters.values())
    assert not hasattr(model(), "__dict__")
    assert model.__doc__
    assert message.go_type in model.__doc__


@pytest.mark.parametrize("model", CLASSES, ids=lambda model: model.__name__)
def test_every_annotation_of_a_model_is_a_type(model: type[Model]) -> None:
    plain = model()
    for name, expected in field_types(model).items():
        value = getattr(plain, name)
        assert expected is Any or value is None or isinstance(value, typing.get_origin(expected) or expected)
    assert plain == model()
    assert repr(plain) == f"{model.__name__}()"


@pytest.mark.parametrize("model", CLASSES, ids=lambda model: model.__name__)
def test_instances_share_no_mutable_default(model: type[Model]) -> None:
    first, second = model(), model()
    for name in field_names(model):
        value = getattr(first, name)
        if isinstance(value, (list, dict, Model)):
            assert value is not getattr(second, name)


def test_defaults_are_gos_zero_values() -> None:
    post = Post()
    assert (post.id, post.create_at, post.is_pinned, post.props, post.file_ids) == ("", 0, False, {}, [])
    assert (post.remote_id, post.is_following, post.metadata) == (None, None, None)
    assert CustomStatus().expires_at == datetime(1, 1, 1, tzinfo=timezone.utc)
    assert Config().service_settings == ServiceSettings()
    assert Channel().type == ""


def test_positional_arguments_and_unknown_names_are_refused() -> None:
    with pytest.raises(TypeError):
        Post("id")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="mesage"):
        Post(mesage="x")  # type: ignore[call-arg]
    post = Post()
    with pytest.raises(AttributeError):
        post.mesage = "x"  # type: ignore[attr-defined]


def test_equality_is_by_type_and_value() -> None:
    assert Post(id="a", props={"x": [1]}) == Post(id="a", props={"x": [1]})
    assert Post(id="a") != Post(id="b")
    assert Post() != User()
    assert Post() != object()
    with pytest.raises(TypeError, match="unhashable"):
        hash(Post())


def test_repr_shows_what_is_set() -> None:
    post = Post(id="a", message="hi", is_following=False, participants=[User(username="jane")])
    assert (
        repr(post) == "Post(id='a', message='hi', participants=[User(username='jane')], is_following=False)"
    )
    assert repr(Config(service_settings=ServiceSettings(site_url="https://x"))) == (
        "Config(service_settings=ServiceSettings(site_url='https://x'))"
    )
    assert repr(Channel(type="O")) == "Channel(type=ChannelType.OPEN)"


def test_dataclass_functions_work() -> None:
    post = Post(id="a", participants=[User(username="jane")])
    assert dataclasses.is_dataclass(post)
    assert not hasattr(Model, "__dataclass_fields__")
    changed = dataclasses.replace(post, message="new")
    assert (changed.id, changed.message, post.message) == ("a", "new", "")
    assert dataclasses.asdict(post)["participants"][0]["username"] == "jane"
    by_name = {field.name: field for field in dataclasses.fields(Post)}
    assert by_name["participants"].type == list[User]
    assert by_name["props"].default_factory is dict
    assert by_name["message"].default == ""
    assert all(field.kw_only for field in by_name.values())


def test_copy_replace_works() -> None:
    # What copy.replace calls from Python 3.13 on.
    assert Post(id="a").__replace__(message="x") == Post(id="a", message="x")
    with pytest.raises(TypeError):
        Post().__replace__(mesage="x")


def test_copies_and_pickles_are_equal() -> None:
    post = Post(id="a", props={"x": [1]}, participants=[User(username="jane")])
    shallow, deep = copy.copy(post), copy.deepcopy(post)
    assert shallow == deep == pickle.loads(pickle.dumps(post)) == post
    assert shallow.props is post.props
    assert deep.props is not post.props


def test_match_statements_read_fields() -> None:
    match Post(id="a", message="x"):
        case Post(id="a", message=message):
            assert message == "x"
        case _:
            raise AssertionError("no match")


def test_an_alias_of_go_is_the_same_class() -> None:
    for message in MESSAGES:
        module = import_module(f"mattermost_plugin.models.{message.module}")
        for alias in message.go_aliases:
            assert getattr(module, alias) is getattr(models, alias) is getattr(models, message.python_name)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Pots'"):
        models.Pots  # type: ignore[attr-defined]  # noqa: B018 - the access is what is tested
    with pytest.raises(ImportError):
        from mattermost_plugin.models import Pots  # type: ignore[attr-defined]  # noqa: F401
