"""Settings as the server stores them, in the author's dataclass."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from mattermost_plugin._runtime.configuration import fill


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


def test_settings_reach_fields_of_the_same_letters():
    stored = {"warnafter": 5, "BadWords": "a,b", "ENABLED": True, "channels": ["x"], "limit": 7}
    assert fill(Settings, stored) == Settings(5, "a,b", True, channels=["x"], limit=7)


def test_missing_settings_keep_their_default_and_foreign_ones_are_left_out():
    assert fill(Settings, {"foreign": 1, "kept": "no"}) == Settings()


def test_text_and_whole_numbers_are_read_as_the_field_says():
    stored = {"warnafter": "12", "enabled": "true", "ratio": 2, "limit": 4.0, "anything": object}
    assert fill(Settings, stored) == Settings(12, enabled=True, ratio=2.0, limit=4, anything=object)


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        ({"warnafter": "many"}, "warn_after should be int, but the server has 'many'"),
        ({"warnafter": True}, "warn_after should be int"),
        ({"badwords": 3}, "bad_words should be str"),
        ({"enabled": "perhaps"}, "enabled should be bool"),
        ({"limit": "x"}, "limit should be None or int"),
        ({"channels": "x"}, "channels should be list"),
    ],
)
def test_a_setting_of_another_type_is_refused_by_name(stored, said):
    with pytest.raises(ValueError, match=said):
        fill(Settings, stored)


def test_a_field_without_default_must_be_set():
    @dataclass
    class Strict:
        token: str

    with pytest.raises(TypeError, match="token"):
        fill(Strict, {})


def test_only_dataclasses_are_filled():
    with pytest.raises(TypeError, match="needs a dataclass"):
        fill(dict, {})
