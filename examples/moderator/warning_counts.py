"""Counts warnings per user in the server's key-value store."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mattermost_plugin import API


class WarningCounts:
    """How many warnings each user has had.

    Args:
        api: The plugin's API.
    """

    def __init__(self, api: API) -> None:
        self._api = api

    def get(self, user_id: str) -> int:
        """Return the number of warnings of a user."""
        return int(self._api.kv_get(_key(user_id)) or 0)

    def add(self, user_id: str) -> int:
        """Count one more warning and return how many there are now.

        Two posts may be handled at once, here or on another server of a cluster. The store changes a value
        only if it is still the one we read; otherwise we read and try again, so that no warning is lost.
        """
        key = _key(user_id)
        while True:
            stored = self._api.kv_get(key)
            count = int(stored or 0) + 1
            if self._api.kv_compare_and_set(key, stored, str(count).encode()):
                return count

    def reset(self, user_id: str) -> None:
        """Forget the warnings of a user."""
        self._api.kv_delete(_key(user_id))


def _key(user_id: str) -> str:
    return f"warnings-{user_id}"
