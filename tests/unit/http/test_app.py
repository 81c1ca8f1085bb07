"""What may be assigned to `http`, and what is said about everything else."""

from __future__ import annotations

from functools import wraps
from typing import Any

import pytest
from flask import Flask
from starlette.applications import Starlette

from mattermost_plugin import AsyncPlugin, Plugin
from mattermost_plugin._gen.hook_methods import HOOKS
from mattermost_plugin._runtime.http_hooks import http_hooks
from mattermost_plugin.http import Router
from mattermost_plugin.http import _extra as extra
from mattermost_plugin.http._app import application
from mattermost_plugin.http._wsgi import WSGIAdapter


async def asgi_function(scope: Any, receive: Any, send: Any) -> None:
    raise NotImplementedError


def wsgi_function(environ: Any, start_response: Any) -> list[bytes]:
    raise NotImplementedError


class ASGIObject:
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        raise NotImplementedError


class Wrapped:
    """As middleware that is no coroutine function itself."""

    def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        raise NotImplementedError


@wraps(asgi_function)
def decorated(*arguments: Any) -> Any:
    return asgi_function(*arguments)


@pytest.mark.parametrize(
    "app",
    [Starlette(), Router(), ASGIObject(), Wrapped(), asgi_function, decorated, staticmethod(asgi_function)],
)
def test_asgi_applications_are_taken_as_they_are(app: Any) -> None:
    plugin = type("Own", (Plugin,), {"http": app})()

    assert application(plugin, "http") is (app.__func__ if isinstance(app, staticmethod) else app)


@pytest.mark.parametrize("app", [Flask("own"), wsgi_function, staticmethod(wsgi_function)])
def test_wsgi_applications_are_adapted(app: Any) -> None:
    plugin = type("Own", (Plugin,), {"http": app})()

    assert isinstance(application(plugin, "http"), WSGIAdapter)


def test_a_method_that_is_an_application_stays_a_method() -> None:
    class Own(AsyncPlugin):
        async def http(self, scope: Any, receive: Any, send: Any) -> None:
            raise NotImplementedError

        def metrics(self, environ: Any, start_response: Any) -> list[bytes]:
            raise NotImplementedError

    plugin = Own()

    assert application(plugin, "http") == plugin.http
    assert isinstance(application(plugin, "metrics"), WSGIAdapter)


def test_a_method_or_property_makes_the_application() -> None:
    made = Starlette()

    class ByMethod(Plugin):
        def http(self) -> Starlette:
            return made

    class ByProperty(Plugin):
        @property
        def http(self) -> Starlette:  # type: ignore[override]
            return made

    class ByInstance(Plugin):
        def __init__(self) -> None:
            self.http = made

    for kind in (ByMethod, ByProperty, ByInstance):
        plugin = kind()
        assert application(plugin, "http") is made
        assert list(http_hooks(plugin)) == ["http"]


def test_what_is_no_application_is_named() -> None:
    class Number(Plugin):
        http = 7

    class Kind(Plugin):
        http = ASGIObject

    class OneParameter(Plugin):
        http = staticmethod(lambda one: one)

    class Async(Plugin):
        async def http(self) -> Any:
            raise NotImplementedError

    for plugin, message in (
        (Number(), r"Number\.http is 7; it must be an ASGI or WSGI application"),
        (Kind(), r"Kind\.http is <class .*ASGIObject'>; it must be"),
        (OneParameter(), r"neither as an ASGI application \(scope, receive, send\)"),
        (Async(), r"Async\.http is an async method"),
    ):
        with pytest.raises(TypeError, match=message):
            application(plugin, "http")


def test_the_hooks_are_those_of_the_attributes() -> None:
    class Both(Plugin):
        http = Starlette()
        metrics = wsgi_function

    class Neither(Plugin):
        http = None

    assert http_hooks(Both()) == {"http": HOOKS["serve_http"], "metrics": HOOKS["serve_metrics"]}
    assert http_hooks(Neither()) == {}


def test_a_hook_method_says_what_to_write_instead() -> None:
    with pytest.raises(Exception, match="class attribute `http`"):
        type("Own", (Plugin,), {"serve_http": lambda self: None})


def test_a_missing_extra_is_named() -> None:
    with pytest.raises(
        ModuleNotFoundError, match=r"add mattermost-plugin\[http\] to the plugin's requirements"
    ):
        extra.need("no_such_package")
