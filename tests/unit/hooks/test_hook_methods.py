"""The class of all hooks: typed, documented, harmless when it is not overridden."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import pytest

from codegen.python_methods import can_reject, parameters, unavailable
from mattermost_plugin._gen.hook_methods import HOOKS
from mattermost_plugin.hooks import HookMethods
from tests.codegen.repository import schema

if TYPE_CHECKING:
    from codegen.lowered import Method

METHODS = [method for method in schema().service("Hooks").methods if method.go_name != "Implemented"]
AVAILABLE = [method for method in METHODS if not unavailable(method)]


def by_name(method: Method) -> str:
    return method.python_name


def test_every_hook_that_can_be_implemented_is_there_and_nothing_else() -> None:
    public = {name for name in vars(HookMethods) if not name.startswith("_")}
    assert public == {method.python_name for method in AVAILABLE}
    assert {name for name, entry in HOOKS.items() if entry.unavailable} == {
        method.python_name for method in METHODS
    } - public


@pytest.mark.parametrize("method", AVAILABLE, ids=by_name)
def test_a_hook_that_is_not_overridden_returns_what_changes_nothing(method: Method) -> None:
    hook = getattr(HookMethods(), method.python_name)
    neutral = hook(*[None for _ in inspect.signature(hook).parameters])
    codec = HOOKS[method.python_name].codec
    returned = codec.decode_response(codec.encode_response(neutral))
    assert returned == (neutral if returned != [] else [])
    assert not returned or method.go_name == "OnSharedChannelsSyncMsg"


@pytest.mark.parametrize("method", AVAILABLE, ids=by_name)
def test_a_hook_says_what_it_gets_and_may_return(method: Method) -> None:
    hook = getattr(HookMethods, method.python_name)
    signature = inspect.signature(hook)
    names = [name for name, _ in parameters(method)]
    assert list(signature.parameters)[1:] == names
    assert {field.python_name for field in method.params} <= set(names)
    assert signature.return_annotation.startswith("MaybeAwaitable[")
    text = inspect.getdoc(hook)
    assert text is not None
    assert f"Go name: ``{method.go_name}``. Minimum server version: {method.minimum_version}." in text
    assert all(f"    {name}: " in text for name in names)
    assert ("Returns:" in text) == (signature.return_annotation != "MaybeAwaitable[None]")
    assert "empty string and" not in text
    accepts = "Reject" in signature.return_annotation
    assert accepts == can_reject(method) == HOOKS[method.python_name].can_reject == ("`Reject`" in text)
    shown = signature.return_annotation.removeprefix("MaybeAwaitable[").removesuffix("]")
    assert HOOKS[method.python_name].signature.endswith(f" -> {shown}")
