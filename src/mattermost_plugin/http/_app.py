"""From what an author assigned to `http` to an ASGI application."""

from __future__ import annotations

import inspect
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, cast

from mattermost_plugin.http._limits import HTTPLimits

if TYPE_CHECKING:
    from mattermost_plugin.http._asgi import ASGIApp

__all__ = ["application"]


def application(plugin: object, attribute: str) -> ASGIApp:
    """Return what a plugin serves, as an ASGI application.

    Args:
        plugin: The plugin.
        attribute: `http` or `metrics`. Its value is an application, or a method without parameters that
            returns one and is called once.

    Raises:
        TypeError: It is none that is known, or `http_limits` is no `HTTPLimits`; the message says what it
            may be.
        ModuleNotFoundError: It is a WSGI application and the extra `http` is not installed.
    """
    where = f"{type(plugin).__qualname__}.{attribute}"
    value = getattr(plugin, attribute)
    if isinstance(value, MethodType) and isinstance(value.__func__, FunctionType):
        value = _of_method(value)
    elif isinstance(value, FunctionType) and not _positional(value):
        value = value()
    if inspect.iscoroutine(value):
        value.close()
        raise TypeError(
            f"{where} is an async method; a method that makes the application must be a plain one"
        )
    if not callable(value) or isinstance(value, type):
        raise TypeError(
            f"{where} is {value!r}; it must be an ASGI or WSGI application or a Router, "
            "or a method without parameters that returns one"
        )
    if is_asgi(value):
        return cast("ASGIApp", value)
    if _positional(value) == 2:
        from mattermost_plugin.http._extra import need

        need("a2wsgi")
        from mattermost_plugin.http._wsgi import WSGIAdapter

        return WSGIAdapter(value, _limits(plugin))
    raise TypeError(
        f"{where} is {value!r}, which is called neither as an ASGI application (scope, receive, send) "
        "nor as a WSGI application (environ, start_response)"
    )


def _limits(plugin: object) -> HTTPLimits:
    limits = getattr(plugin, "http_limits", None) or HTTPLimits()
    if not isinstance(limits, HTTPLimits):
        raise TypeError(
            f"{type(plugin).__qualname__}.http_limits is {limits!r}; "
            "it must be an instance of mattermost_plugin.http.HTTPLimits"
        )
    return limits


def is_asgi(app: Any) -> bool:
    """Whether an application is called as ASGI has it."""
    call = app if isinstance(app, (FunctionType, MethodType)) else type(app).__call__
    return inspect.iscoroutinefunction(inspect.unwrap(call)) or _positional(app) == 3


def _of_method(method: MethodType) -> Any:
    """Return the application behind a function in the class.

    A function that is an application itself was assigned to the attribute and became a method by that; a
    method that is an application has one parameter more, `self`.
    """
    parameters = _positional(method)
    if parameters == 0:
        return method()
    first = next(iter(inspect.signature(method.__func__).parameters))
    return method.__func__ if first in {"scope", "environ"} else method


def _positional(function: Any) -> int:
    """Return how many positional arguments must be given; -1: that cannot be told."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return -1
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(parameter.kind in kinds and parameter.default is parameter.empty for parameter in parameters)
