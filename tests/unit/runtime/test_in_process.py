"""The runtime without a process or a socket: what a host written in Python builds on."""

from __future__ import annotations

import asyncio

import pytest

from mattermost_plugin import AsyncPlugin, Context, NotFound, Plugin, Post, Reject, User
from mattermost_plugin._gen.api_methods import API as API_METHODS
from mattermost_plugin._gen.hook_methods import HOOKS
from mattermost_plugin._runtime.dispatch import Dispatcher
from mattermost_plugin._runtime.dispatch_async import AsyncDispatcher
from mattermost_plugin._runtime.lifecycle import Lifecycle
from mattermost_plugin._runtime.lifecycle_async import AsyncLifecycle
from mattermost_plugin.api import API, AsyncAPI


class Server:
    """Answers the API from a dictionary, through the same tables as a host on the other side of a socket."""

    def __init__(self) -> None:
        self.users = {"u1": User(id="u1", username="ann")}

    def get_user(self, user_id: str) -> User:
        if user_id not in self.users:
            raise NotFound("nobody", id="app.user.missing", where="GetUser")
        return self.users[user_id]

    def __call__(self, method, request, _timeout):
        codec = API_METHODS[method.name].codec
        try:
            return codec.encode_response(getattr(self, method.name)(*codec.decode_request(request)))
        except NotFound as error:
            return codec.encode_error(error)


def test_a_plugin_lives_its_life_in_the_hosts_own_process():
    events = []

    class Tested(Plugin):
        def on_configuration_change(self):
            events.append("configured")

        def on_activate(self):
            events.append(self.api.get_user("u1").username)

        def message_will_be_posted(self, ctx, post):
            try:
                self.api.get_user(post.user_id)
            except NotFound as error:
                return Reject(error.id)

        def on_deactivate(self):
            events.append("deactivated")

    plugin = Tested()
    dispatcher = Dispatcher(plugin)

    def connect(_api_id, _driver_id):
        plugin._api = API(Server())

    life = Lifecycle(dispatcher, HOOKS, frozenset(method.name for method in Tested._hooks), connect)
    activate = HOOKS["on_activate"].codec
    assert activate.decode_response(life.on_activate(activate.encode_request(0, 0, ""), None)) is None
    posted = HOOKS["message_will_be_posted"]
    handler = dispatcher.handler(posted)
    request = posted.codec.encode_request(Context(), Post(user_id="u2"))
    assert posted.codec.decode_response(handler(request, None)) == Reject("app.user.missing")
    life.end()
    life.end()
    assert events == ["configured", "ann", "deactivated"]


async def test_an_async_plugin_lives_its_life_on_the_hosts_own_loop():
    events = []

    class Tested(AsyncPlugin):
        async def on_activate(self):
            events.append((await self.api.get_user("u1")).username)

        def on_deactivate(self):
            events.append("deactivated")

    plugin = Tested()
    server = Server()

    async def transport(method, request, timeout):
        await asyncio.sleep(0)
        return method.codec.decode_response(server(method, request, timeout))

    async def connect(_api_id, _driver_id):
        plugin._api = AsyncAPI(transport)

    names = frozenset(method.name for method in Tested._hooks)
    life = AsyncLifecycle(AsyncDispatcher(plugin), HOOKS, names, connect)
    activate = HOOKS["on_activate"].codec
    assert activate.decode_response(await life.on_activate(activate.encode_request(0, 0, ""), None)) is None
    await asyncio.gather(life.end(), life.end())
    assert events == ["ann", "deactivated"]


def test_an_api_method_refuses_arguments_of_a_wrong_type_before_it_calls():
    def transport(*_):
        raise AssertionError("nothing should be sent")

    with pytest.raises(TypeError, match="get_user"):
        API(transport).get_user(3)
