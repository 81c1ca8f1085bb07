"""Notices coroutines that a `def` hook of an `AsyncPlugin` makes and gives to nobody.

A `def` hook cannot await. It may hand a coroutine of the API to the event loop
(`asyncio.run_coroutine_threadsafe`), or keep it. One that is dropped without having run is a call that the
author believes was made; one that is used as if it were the result is the same mistake. Both fail the hook.
"""

from __future__ import annotations

import inspect
import threading
import weakref
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = ["noting", "noting_api", "plainly"]

_Function = TypeVar("_Function", bound="Callable[..., Any]")
_API = TypeVar("_API")

_here = threading.local()


class _Made:
    """A coroutine that a hook made."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.started = False
        self.coroutine: weakref.ref[Coroutine[Any, Any, Any]] | None = None

    def is_lost(self) -> bool:
        return not self.started and self.coroutine is not None and self.coroutine() is None


def plainly(hook: Callable[..., Any], *arguments: Any) -> Any:
    """Call a `def` hook of an `AsyncPlugin`, on a thread of its own.

    Raises:
        RuntimeError: The hook dropped a coroutine of the API, or took one for a result.
    """
    made: list[_Made] = []
    _here.made = made
    try:
        result = hook(*arguments)
    except (AttributeError, TypeError) as error:
        unused = next((one for one in made if not one.started), None)
        if unused is not None and "coroutine" in str(error):
            raise _to_be_awaited(unused) from error
        raise
    finally:
        _here.made = None
    lost = next((one for one in made if one.is_lost()), None)
    if lost is not None:
        raise _to_be_awaited(lost)
    return result


def noting(name: str, function: _Function) -> _Function:
    """Return a coroutine function whose coroutines are noted, if this thread runs a `def` hook; else itself.

    Args:
        name: How the author calls it, as `self.api.get_user`.
        function: The coroutine function.
    """
    made: list[_Made] | None = getattr(_here, "made", None)
    if made is None:
        return function

    @wraps(function)
    def make(*arguments: Any, **named: Any) -> Any:
        one = _Made(name)

        async def call() -> Any:
            one.started = True
            return await function(*arguments, **named)

        coroutine = call()
        one.coroutine = weakref.ref(coroutine)
        made.append(one)
        return coroutine

    return cast("_Function", make)


def noting_api(api: _API) -> _API:
    """Return an API whose coroutines are noted, if this thread runs a `def` hook; else itself."""
    return api if getattr(_here, "made", None) is None else cast("_API", _NotingAPI(api))


class _NotingAPI:
    """Stands for an `AsyncAPI` in a `def` hook."""

    __slots__ = ("_api",)

    def __init__(self, api: Any) -> None:
        self._api = api

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._api, name)
        return noting(f"self.api.{name}", value) if inspect.iscoroutinefunction(value) else value

    def with_timeout(self, seconds: float | None) -> _NotingAPI:
        """Return the same API whose calls wait `seconds` for an answer; None: without limit."""
        return _NotingAPI(self._api.with_timeout(seconds))


def _to_be_awaited(one: _Made) -> RuntimeError:
    name = one.name
    instead = (
        "self.load_configuration_blocking()"
        if name == "self.load_configuration"
        else name.replace("self.api", "self.blocking_api") + "()"
    )
    return RuntimeError(
        f"{name}() has to be awaited, which a def hook cannot do: use {instead} here, hand it to the event "
        "loop (asyncio.run_coroutine_threadsafe), or write async def"
    )
