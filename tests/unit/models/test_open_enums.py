"""Named strings with constants: open, typed, and strings in every respect."""

from __future__ import annotations

import copy
import json
import pickle

import pytest

from mattermost_plugin import models
from mattermost_plugin._model import OpenEnum, known
from mattermost_plugin.models import Channel, ChannelType
from tests.codegen.repository import schema

ENUMS = {enum.name: enum for enum in schema().enums()}


@pytest.mark.parametrize("name", ENUMS)
def test_every_constant_of_go_is_a_member(name: str) -> None:
    enum = getattr(models, name)
    assert issubclass(enum, OpenEnum)
    for member in ENUMS[name].members:
        constant = getattr(enum, member.python_name)
        assert type(constant) is enum
        assert constant == member.value == constant.value
        assert enum(member.value) is constant
    assert [str(value) for value in enum] == list(dict.fromkeys(m.value for m in ENUMS[name].members))
    assert len(enum) == len(list(enum)) > 0


def test_values_that_nobody_knows_survive() -> None:
    value = ChannelType("Z")
    assert value == "Z"
    assert type(value) is ChannelType
    assert value not in ChannelType
    assert "O" in ChannelType
    assert repr(value) == "ChannelType('Z')"
    assert repr(ChannelType.OPEN) == "ChannelType.OPEN"
    assert known(ChannelType)["Q"] == "Q"
    assert "Q" not in known(ChannelType)


def test_they_are_strings() -> None:
    assert f"{ChannelType.OPEN}" == str(ChannelType.OPEN) == "O"
    assert type(str(ChannelType.OPEN)) is str
    assert json.dumps({"type": ChannelType.OPEN}) == '{"type": "O"}'
    counts: dict[str, int] = {ChannelType.OPEN: 1}
    assert counts["O"] == 1
    assert ChannelType.OPEN.lower() == "o"
    assert bool(ChannelType)
    assert not ChannelType("")


def test_only_strings_are_values() -> None:
    with pytest.raises(TypeError, match="ChannelType expects a str, got int"):
        ChannelType(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="ChannelType expects a str, got NoneType"):
        Channel(type=None)  # type: ignore[arg-type]


def test_models_take_plain_strings_for_them() -> None:
    channel = Channel(type="P")
    assert channel.type is ChannelType.PRIVATE


def test_copies_and_pickles_are_the_constant() -> None:
    for value in (ChannelType.OPEN, ChannelType("Z")):
        for again in (copy.copy(value), copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
            assert again == value
            assert type(again) is ChannelType
    assert copy.deepcopy(ChannelType.OPEN) is ChannelType.OPEN
