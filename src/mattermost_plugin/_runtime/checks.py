"""What is wrong with a plugin class, said when the class is made and not when a hook is never called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mattermost_plugin._runtime.statuses import unavailable_here

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import CodeType

    from mattermost_plugin._codec.methods import Method

__all__ = ["check_hooks", "check_settings", "is_coroutine_function"]

# How like a hook's name another name must be to be taken for a mistake. `user_has_been_warned` is 0.83 like
# `user_has_been_created` and a fine name; names that begin with `on_` are hooks far more often.
_ALIKE, _ALIKE_ON = 0.87, 0.8

# Seconds that no thread can wait for.
_FOREVER = 1e9

# Flags of a code object, as `inspect` has them; `inspect` itself costs 8 ms at start.
_VARARGS, _GENERATOR, _COROUTINE, _ASYNC_GENERATOR = 0x04, 0x20, 0x80, 0x200


def check_hooks(cls: type, hooks: Mapping[str, Method], base: type) -> tuple[Method, ...]:
    """Return the hooks that `cls` overrides, in the table's order.

    Args:
        cls: The author's class.
        hooks: Every hook by Python name.
        base: The class whose methods stand for "not overridden".

    Raises:
        TypeError: A public method looks like a hook and is none, or a hook cannot be called as the host does.
        NotSupported: A hook that this release cannot serve is overridden.
    """
    for name, value in vars(cls).items():
        if name not in hooks and not name.startswith("_") and not hasattr(base, name):
            _check_name(cls, name, value, hooks)
    overridden = tuple(
        method for name, method in hooks.items() if getattr(cls, name, None) is not getattr(base, name, None)
    )
    for method in overridden:
        if method.unavailable:
            raise unavailable_here(method)
        _check_signature(cls, method)
    return overridden


def check_settings(cls: Any) -> None:
    """Check the settings of the runtime that a plugin class has as attributes.

    Raises:
        TypeError: A value is of another type, or no class attribute.
        ValueError: A value is out of range.
    """
    threads = cls.hook_threads
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise TypeError(f"{cls.__qualname__}.hook_threads must be an int of at least 1, not {threads!r}")
    if not isinstance(cls.collect_less_often, bool):
        raise TypeError(f"{cls.__qualname__}.collect_less_often must be a bool")
    seconds = cls.loop_blocked_after
    name = f"{cls.__qualname__}.loop_blocked_after"
    if seconds is not None and (isinstance(seconds, bool) or not isinstance(seconds, (int, float))):
        raise TypeError(f"{name} must be seconds or None, not {type(seconds).__name__}")
    if seconds is not None and not 0 <= seconds < _FOREVER:
        raise ValueError(f"{name} must be 0 (no warning) or more seconds, not {seconds}")


def is_coroutine_function(function: Any) -> bool:
    """Whether calling `function` makes a coroutine; looks through `functools.wraps`."""
    code = _code(function)
    return code is not None and bool(code.co_flags & _COROUTINE)


def _check_name(cls: type, name: str, value: Any, hooks: Mapping[str, Method]) -> None:
    method = _same_letters(name, hooks.values())
    if method is None and isinstance(value, (type(_check_name), staticmethod, classmethod)):
        method = _nearest(name, hooks)
    if method is not None:
        raise TypeError(
            f"{cls.__qualname__}.{name} is not a hook; did you mean {method.signature}? "
            "(A method of your own needs another name, or an underscore before it.)"
        )


def _same_letters(name: str, hooks: Iterable[Method]) -> Method | None:
    """Return the hook whose name differs in case and underscores only, such as its Go name."""
    letters = name.replace("_", "").lower()
    return next((method for method in hooks if method.go_name.lower() == letters), None)


def _nearest(name: str, hooks: Mapping[str, Method]) -> Method | None:
    import difflib

    cutoff = _ALIKE_ON if name.startswith("on_") else _ALIKE
    found = difflib.get_close_matches(name, hooks, n=1, cutoff=cutoff)
    return hooks[found[0]] if found else None


def _check_signature(cls: type, method: Method) -> None:
    for owner in cls.__mro__:
        if method.name in vars(owner):
            break
    else:
        return
    value = vars(owner)[method.name]
    if isinstance(value, staticmethod):
        given, problem = len(method.parameters), ""
    elif callable(value) or isinstance(value, classmethod) or hasattr(value, "__get__"):
        given, problem = len(method.parameters) + 1, ""
    else:
        given, problem = 0, f"is {type(value).__name__}, not a method"
    if isinstance(value, property):
        problem = "is a property, not a method"
    function = value.__func__ if isinstance(value, (staticmethod, classmethod)) else value
    code = None if problem else getattr(function, "__code__", None)
    if code is not None:
        problem = _call_problem(function, code, given)
    if problem:
        raise TypeError(f"{owner.__qualname__}.{method.name} {problem}; the hook is {method.signature}")


def _call_problem(function: Any, code: CodeType, given: int) -> str:
    """Say why `function` cannot be called with `given` positional arguments, or nothing."""
    if code.co_flags & (_GENERATOR | _ASYNC_GENERATOR):
        return "yields, but a hook returns its result"
    names = code.co_varnames[: code.co_argcount]
    required = code.co_argcount - len(function.__defaults__ or ())
    if given < required or (given > code.co_argcount and not code.co_flags & _VARARGS):
        return f"takes ({', '.join(names)})"
    keywords = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    missing = [name for name in keywords if name not in (function.__kwdefaults__ or {})]
    if missing:
        return f"needs the keyword {missing[0]}, which the host does not give"
    return ""


def _code(function: Any) -> CodeType | None:
    function = getattr(function, "__func__", function)
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    code: CodeType | None = getattr(function, "__code__", None)
    return code
