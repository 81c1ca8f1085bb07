"""Texts of settings that are not to be shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["SecretText", "is_secret_name", "masked", "secret_keys"]

_SECRET_NAME = re.compile(
    r"passw(?:or)?d|passphrase|passcode|secret|token|credential|apikey|accesskey|privatekey|signature|webhook"
    r"|(?:^|[a-z])key$|^pin$|^salt$|^dsn$|connectionstring"
)


class SecretText(str):
    """A text whose `repr` does not show it; in everything else it is the text.

    It keeps a secret out of what is logged of the object it is part of: `repr` of a dataclass shows that of
    its fields.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


def masked(value: Any) -> Any:
    """Return a value of JSON with all of its texts as `SecretText`."""
    if isinstance(value, str):
        return SecretText(value)
    if isinstance(value, dict):
        return {key: masked(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked(item) for item in value]
    return value


def is_secret_name(letters: str) -> bool:
    """Whether a setting of that name, in lower case without marks between words, holds a secret."""
    return _SECRET_NAME.search(letters) is not None


def secret_keys(manifest: Mapping[str, Any]) -> Iterator[str]:
    """Find the keys of the settings that a manifest marks as secret, or has the System Console generate."""
    schema = manifest.get("settings_schema") or {}
    for group in (schema, *(schema.get("sections") or ())):
        for setting in group.get("settings") or ():
            if setting.get("secret") or setting.get("type") == "generated":
                yield str(setting.get("key", ""))
