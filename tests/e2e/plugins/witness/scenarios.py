"""What the tests let a plugin do through its API; each method is one, and its result goes back as JSON."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mattermost_plugin import Bot, NotFound, NotSupported, PluginKVSetOptions, Post

if TYPE_CHECKING:
    from mattermost_plugin import API, CommandArgs

log = logging.getLogger("witness.scenarios")


@dataclass(frozen=True)
class Scenarios:
    """One command of a test.

    Attributes:
        api: The plugin's API.
        args: The command as the server handed it over.
    """

    api: API
    args: CommandArgs

    def who(self) -> dict[str, Any]:
        """What the server says about the command, and about itself."""
        return {
            "user_id": self.args.user_id,
            "channel_id": self.args.channel_id,
            "team_id": self.args.team_id,
            "command": self.args.command,
            "site_url": self.args.site_url,
            "server_version": self.api.get_server_version(),
            "username": self.api.get_user(self.args.user_id).username,
        }

    def kv_set(self, key: str, value: str) -> None:
        self.api.kv_set(key, value.encode())

    def kv_set_with_expiry(self, key: str, value: str, seconds: str) -> None:
        self.api.kv_set_with_expiry(key, value.encode(), int(seconds))

    def kv_set_atomic(self, key: str, old_value: str, new_value: str) -> bool:
        options = PluginKVSetOptions(atomic=True, old_value=old_value.encode())
        return self.api.kv_set_with_options(key, new_value.encode(), options)

    def kv_get(self, key: str) -> str | None:
        value = self.api.kv_get(key)
        return None if value is None else value.decode()

    def kv_compare_and_set(self, key: str, old_value: str, new_value: str) -> bool:
        return self.api.kv_compare_and_set(key, old_value.encode() or None, new_value.encode())

    def kv_compare_and_delete(self, key: str, old_value: str) -> bool:
        return self.api.kv_compare_and_delete(key, old_value.encode())

    def kv_delete(self, key: str) -> None:
        self.api.kv_delete(key)

    def kv_delete_all(self) -> None:
        self.api.kv_delete_all()

    def kv_list(self) -> list[str]:
        return sorted(self.api.kv_list(0, 100))

    def kv_bytes(self) -> bool:
        """Whether each possible byte comes back."""
        value = bytes(range(256))
        self.api.kv_set("bytes", value)
        return self.api.kv_get("bytes") == value

    def direct_message(self, text: str) -> dict[str, str]:
        """Let a bot write to the user."""
        bot_id = self.api.ensure_bot_user(Bot(username="witness-bot", display_name="Witness"))
        channel = self.api.get_direct_channel(bot_id, self.args.user_id)
        post = self.api.create_post(Post(user_id=bot_id, channel_id=channel.id, message=text))
        return {"bot_id": bot_id, "post_id": post.id}

    def missing_user(self, user_id: str) -> dict[str, Any]:
        """Ask for a user that does not exist; the error's fields."""
        try:
            self.api.get_user(user_id)
        except NotFound as error:
            return {
                "type": type(error).__name__,
                "id": error.id,
                "message": error.message,
                "detailed_error": error.detailed_error,
                "status_code": error.status_code,
                "where": error.where,
                "params": error.params,
            }
        return {}

    def too_new(self, channel_id: str) -> str:
        """Call what servers have since 11.10 only; the exception's text."""
        try:
            self.api.restore_channel(channel_id)
        except NotSupported as error:
            return str(error)
        return ""

    def write_log(self, marker: str) -> None:
        log.debug("%s debug", marker, extra={"count": 3})
        log.info("%s info", marker, extra={"count": 3, "user": {"name": "ann", "ids": [1, 2]}})
        log.warning("%s warning", marker)
        log.error("%s error", marker)
        try:
            int(marker)
        except ValueError:
            log.exception("%s exception", marker)
        print(f"{marker} printed")  # noqa: T201 - that print works is what is tested

    def fail(self, text: str) -> None:
        raise RuntimeError(text)
