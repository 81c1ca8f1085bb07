"""What a plugin class may look like, and what is said when it does not."""

from __future__ import annotations

import functools

import pytest

from mattermost_plugin import AsyncPlugin, NotSupported, Plugin
from mattermost_plugin._codec.methods import Method
from mattermost_plugin._runtime.checks import check_hooks
from mattermost_plugin._runtime.faces import SyncFace
from mattermost_plugin._runtime.faces_async import AsyncFace


@pytest.fixture(params=[Plugin, AsyncPlugin])
def base(request):
    return request.param


def hooks_of(cls):
    return [method.name for method in cls._hooks]


def test_overridden_hooks_are_implemented_in_the_order_of_the_contract(base):
    class Some(base):
        def user_has_been_created(self, ctx, user): ...

        async def message_has_been_posted(self, ctx, post): ...

        def on_activate(self): ...

    assert hooks_of(Some) == ["on_activate", "user_has_been_created", "message_has_been_posted"]


def test_a_class_without_hooks_implements_none(base):
    class Nothing(base):
        def helper(self): ...

    assert hooks_of(Nothing) == []


def test_hooks_of_a_parent_and_of_a_mixin_count(base):
    class Mixin:
        def on_deactivate(self): ...

    class Parent(base):
        def on_activate(self): ...

    class Child(Mixin, Parent):
        def on_install(self, ctx, event): ...

    assert hooks_of(Child) == ["on_activate", "on_deactivate", "on_install"]
    assert hooks_of(Parent) == ["on_activate"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("message_will_be_post", "message_will_be_posted(self, context: Context, post: Post)"),
        ("mesage_will_be_posted", "message_will_be_posted(self, context: Context, post: Post)"),
        ("message_willbe_posted", "message_will_be_posted("),
        ("on_activated", "on_activate(self)"),
        ("on_config_change", "on_configuration_change(self)"),
        ("on_configuration_changed", "on_configuration_change(self)"),
        ("user_joined_channel", "user_has_joined_channel("),
        ("execute_commands", "execute_command("),
        ("MessageWillBePosted", "message_will_be_posted("),
        ("messageWillBePosted", "message_will_be_posted("),
        ("OnActivate", "on_activate(self)"),
        ("on_samllogin", "on_saml_login("),
    ],
)
def test_a_name_that_looks_like_a_hook_is_refused_with_the_right_one(base, name, meant):
    with pytest.raises(TypeError) as caught:
        type("Misspelt", (base,), {name: lambda self, *_: None})
    assert f"Misspelt.{name} is not a hook" in str(caught.value)
    assert f"did you mean {meant}" in str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        "_message_will_be_post",
        "__on_activated",
        "on_message",
        "handle_command",
        "execute",
        "user_has_been_warned",
        "message_has_badword",
        "notify",
        "run_forever",
        "is_admin",
        "configuration",
    ],
)
def test_names_of_the_authors_own_are_fine(base, name):
    assert hooks_of(type("Fine", (base,), {name: lambda self, *_: None})) == []


def test_values_and_classes_with_names_near_a_hook_are_fine(base):
    class Fine(base):
        on_activated = 3

        class OnActivity: ...

    assert hooks_of(Fine) == []


def test_a_hook_with_too_few_or_too_many_parameters_is_refused(base):
    with pytest.raises(TypeError) as caught:

        class Short(base):
            def message_will_be_posted(self, post): ...

    assert "message_will_be_posted takes (self, post)" in str(caught.value)
    assert "the hook is message_will_be_posted(self, context: Context, post: Post) -> " in str(caught.value)

    with pytest.raises(TypeError, match=r"takes \(self, ctx\); the hook is on_activate\(self\)"):

        class Long(base):
            async def on_activate(self, ctx): ...


def test_other_parameter_names_defaults_and_varargs_are_accepted(base):
    class Free(base):
        def message_will_be_posted(self, c, p, extra=None): ...

        def on_activate(self, *args, **kwargs): ...

        def message_has_been_posted(self, *args): ...

    assert len(hooks_of(Free)) == 3


def test_a_hook_that_needs_a_keyword_is_refused(base):
    with pytest.raises(TypeError, match="needs the keyword flag"):

        class Needs(base):
            def on_activate(self, *, flag): ...


def test_a_hook_that_yields_is_refused(base):
    with pytest.raises(TypeError, match="yields"):

        class Yields(base):
            def on_activate(self):
                yield

    with pytest.raises(TypeError, match="yields"):

        class AsyncYields(base):
            async def on_activate(self):
                yield


@pytest.mark.parametrize("value", [3, None, "text", property(lambda self: None)])
def test_a_hook_that_is_no_method_is_refused(base, value):
    with pytest.raises(TypeError, match="not a method"):
        type("Strange", (base,), {"on_activate": value})


def test_static_class_and_decorated_methods_are_hooks(base):
    def decorated(function):
        @functools.wraps(function)
        def wrapper(*args):
            return function(*args)

        return wrapper

    class Kinds(base):
        @staticmethod
        def on_activate(): ...

        @classmethod
        def on_deactivate(cls): ...

        @decorated
        def message_has_been_posted(self, ctx, post): ...

    assert len(hooks_of(Kinds)) == 3


def test_a_static_hook_with_self_is_refused(base):
    with pytest.raises(TypeError, match=r"on_activate takes \(self\)"):

        class Static(base):
            @staticmethod
            def on_activate(self): ...  # noqa: PLW0211 - the mistake


FUTURE = Method(
    "Hooks",
    "FutureThing",
    "future_thing",
    (),
    signature="future_thing(self)",
    unavailable="not in this release",
)


def test_a_hook_that_this_release_cannot_serve_is_refused_by_name(base):
    class Ahead(base):
        def _future(self): ...

    Ahead.future_thing = Ahead._future
    with pytest.raises(NotSupported, match="not in this release") as caught:
        check_hooks(Ahead, {"future_thing": FUTURE}, base)
    assert caught.value.method == "FutureThing"


async def test_an_api_method_that_this_release_cannot_do_says_so():
    def nothing_is_sent(*_):
        raise AssertionError("sent")

    with pytest.raises(NotSupported, match="not in this release"):
        SyncFace(nothing_is_sent)._call(FUTURE)
    with pytest.raises(NotSupported, match="not in this release"):
        await AsyncFace(nothing_is_sent)._call(FUTURE)
