"""Plain hooks of an `AsyncPlugin` have an API that waits, and are told so where they take the other."""

from __future__ import annotations

import pytest

from mattermost_plugin import Context, Post
from tests.unit.runtime.host import active

CODE = """
import asyncio
from dataclasses import dataclass
from mattermost_plugin import AsyncPlugin, NotFound

@dataclass
class Settings:
    limit: int = 1

class P(AsyncPlugin):
    def on_activate(self):
        self.settings = self.load_configuration_blocking(Settings)

    def message_has_been_posted(self, ctx, post):
        getattr(self, post.message)()

    async def message_has_been_updated(self, ctx, new, old):
        getattr(self, new.message)()

    def works(self):
        print("limit", self.settings.limit, "version", self.blocking_api.get_server_version())
        try:
            self.blocking_api.with_timeout(20).get_user("nobody")
        except NotFound as error:
            print("not found:", error.message)

    def api_of_coroutines(self):
        self.api.get_server_version()

    def result_of_coroutines(self):
        self.api.with_timeout(5).get_user("somebody").username

    def settings_of_coroutines(self):
        self.load_configuration(Settings)

    def on_the_loop(self):
        self.blocking_api.get_server_version()

    def both(self):
        async def call():
            return await self.api.get_server_version()
        print("by hand", asyncio.run_coroutine_threadsafe(call(), self.loop).result())

    def by_the_loop(self):
        version = asyncio.run_coroutine_threadsafe(self.api.get_server_version(), self.loop).result()
        settings = asyncio.run_coroutine_threadsafe(self.load_configuration(Settings), self.loop).result()
        print("by the loop", version, settings.limit)

    def handed_over(self):
        asyncio.run_coroutine_threadsafe(self.api.get_server_version(), self.loop)

    async def message_has_been_deleted(self, ctx, post):
        self.loop = asyncio.get_running_loop()

if __name__ == "__main__":
    P.run()
"""


def nobody(_user: str) -> None:
    from mattermost_plugin import NotFound

    raise NotFound("who?")


API = {
    "get_server_version": lambda: "11.4.0",
    "load_plugin_configuration": lambda: {"limit": "7"},
    "get_user": nobody,
}


def test_a_plain_hook_waits_for_results() -> None:
    with active(CODE, api=API) as host:
        host.hook("message_has_been_posted", Context(), Post(message="works"))
        host.wait_for_log("limit 7 version 11.4.0")
        host.wait_for_log("not found: who?")


@pytest.mark.parametrize(
    ("hook", "name", "said"),
    [
        (
            "message_has_been_posted",
            "api_of_coroutines",
            "self.api.get_server_version.* has to be awaited, .* use self.blocking_api.get_server_version",
        ),
        ("message_has_been_posted", "result_of_coroutines", "self.api.get_user.* has to be awaited"),
        ("message_has_been_posted", "settings_of_coroutines", "use self.load_configuration_blocking"),
        ("message_has_been_updated", "on_the_loop", "would block the event loop, .* await self.api here"),
    ],
)
def test_the_wrong_one_says_what_to_write(hook: str, name: str, said: str) -> None:
    import re

    with active(CODE, api=API) as host:
        posts = [Post(message=name)] * (1 + hook.endswith("updated"))
        with pytest.raises(Exception, match="failed; its log says why"):
            host.hook(hook, Context(), *posts)
        line = host.wait_for_log(f"Hook {hook} raised RuntimeError")
        assert line["@level"] == "error"
        assert re.search(said, line["@message"])


def test_coroutines_that_a_plain_hook_hands_to_the_loop_have_the_api() -> None:
    with active(CODE, api=API) as host:
        host.hook("message_has_been_deleted", Context(), Post())
        host.hook("message_has_been_posted", Context(), Post(message="both"))
        host.wait_for_log("by hand 11.4.0")


def test_a_plain_hook_may_hand_a_coroutine_of_the_api_to_the_loop() -> None:
    with active(CODE, api=API) as host:
        host.hook("message_has_been_deleted", Context(), Post())
        host.hook("message_has_been_posted", Context(), Post(message="by_the_loop"))
        host.wait_for_log("by the loop 11.4.0 7")
        for _ in range(20):
            host.hook("message_has_been_posted", Context(), Post(message="handed_over"))
