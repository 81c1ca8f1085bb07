"""A plugin's settings as the author's dataclass."""

from __future__ import annotations

import dataclasses
import typing
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from mattermost_plugin._runtime.secret_text import secret_keys
from mattermost_plugin._runtime.setting_types import Record, letters_of, record_of
from mattermost_plugin._runtime.setting_values import Mismatch
from mattermost_plugin.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["fill"]

_T = TypeVar("_T")


def fill(into: type[_T], settings: Mapping[str, Any], manifest: Mapping[str, Any] | None = None) -> _T:
    """Return an instance of the dataclass `into` made of `settings`.

    A setting belongs to the field whose name has the same letters: the server stores the manifest's
    `WarnAfter` as `warnafter`, and the field is called `warn_after`. Settings without a field are left out,
    fields without a setting keep their default. Values are converted to what the annotations say.

    Args:
        into: The class.
        settings: Values as JSON has them, by key.
        manifest: What `plugin.json` holds; tells which settings are secret. None if there is none.

    Raises:
        TypeError: `into` is no dataclass, or has an annotation that a setting cannot have.
        SettingsError: Settings do not fit, or one without a default is missing. No value is in its text.
    """
    plain = typing.get_origin(into) or into
    if not isinstance(plain, type) or not dataclasses.is_dataclass(plain):
        raise TypeError(f"load_configuration needs a dataclass, not {_named(into)}")
    secrets = frozenset(letters_of(key) for key in secret_keys(manifest or {}))
    try:
        return _record(into).fill(dict(settings), secrets)  # type: ignore[no-any-return, arg-type] # classes are hashable
    except Mismatch as error:
        problems = [f"{place.removeprefix('.')} {what}" for place, what in error.problems]
    # Raised here, without the errors that led to it: they say the same in pieces.
    name = str((manifest or {}).get("name") or "the plugin")
    one = len(problems) == 1
    raise SettingsError(
        f"setting{'' if one else 's'} {'; '.join(problems)}: set {'it' if one else 'them'} in "
        f"System Console > Plugins > {name}"
    )


def _named(into: object) -> str:
    return into.__name__ if isinstance(into, type) else f"a {type(into).__name__}"


@lru_cache(maxsize=64)
def _record(into: Any) -> Record:
    return record_of(into)
