"""Emit `mattermost_plugin/hooks`: the hooks a plugin may override."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen import header
from codegen.python_docs import method_docstring
from codegen.python_format import format_python
from codegen.python_methods import hook_annotation, parameters, unavailable
from codegen.python_text import Glossary, imports
from codegen.python_types import MODELS, ModelIndex

if TYPE_CHECKING:
    from codegen.lowered import Method, Schema

FOLDER = "src/mattermost_plugin/hooks"

_PACKAGE = '''"""The hooks that a plugin may override; `Plugin` and `AsyncPlugin` inherit them."""

from mattermost_plugin.hooks._methods import HookMethods

__all__ = ["HookMethods"]
'''

# What a hook that is not overridden returns, so that `super().hook(...)` is harmless.
_NEUTRAL = {"bool": "False", "int": "0", "str": '""'}


def emit(schema: Schema) -> dict[str, str]:
    """Return the modules of `mattermost_plugin.hooks`."""
    head = header.header(schema, comment="#")
    return format_python(
        {f"{FOLDER}/__init__.py": head + _PACKAGE, f"{FOLDER}/_methods.py": head + _methods(schema)}
    )


def _methods(schema: Schema) -> str:
    methods = [
        method
        for method in schema.service("Hooks").methods
        if method.go_name != "Implemented" and not unavailable(method)
    ]
    glossary = Glossary.of(schema)
    annotations = [text for method in methods for _, text in _parameters(method)]
    annotations += [hook_annotation(method) for method in methods]
    checking = ModelIndex(schema).imports(annotations)
    typing = {"TYPE_CHECKING"} | set(checking.pop("typing", set()))
    checking["mattermost_plugin._codec.methods"] = {"MaybeAwaitable"}
    checking["mattermost_plugin.reject"] = {"Reject"}
    checking["mattermost_plugin.files"] = {"HookReader", "HookWriter"} & set(annotations)
    return "\n".join(
        [
            '"""Every hook with what it is given and may return."""',
            "from __future__ import annotations",
            "",
            *imports({"typing": typing}),
            "",
            "if TYPE_CHECKING:",
            *imports(checking, "    "),
            "",
            '__all__ = ["HookMethods"]',
            "class HookMethods:",
            '    """The hooks that Mattermost calls in a plugin.',
            "",
            "    Overriding one is implementing it, with `def` or `async def`. These here do nothing.",
            '    """',
            *(line for method in methods for line in ("", *_method(schema, method, glossary))),
            "",
        ]
    )


def _parameters(method: Method) -> list[tuple[str, str]]:
    return parameters(method, reader="HookReader", writer="HookWriter")


def _method(schema: Schema, method: Method, glossary: Glossary) -> list[str]:
    shown = ", ".join(["self", *(f"{name}: {text}" for name, text in _parameters(method))])
    accepted = hook_annotation(method)
    return [
        f"    def {method.python_name}({shown}) -> MaybeAwaitable[{accepted}]:",
        method_docstring(method, glossary),
        *(f"        {line}" for line in _neutral(schema, accepted)),
    ]


def _neutral(schema: Schema, accepted: str) -> list[str]:
    if accepted.endswith("None"):
        return ["return None"]
    if accepted in _NEUTRAL:
        return [f"return {_NEUTRAL[accepted]}"]
    # A struct: imported when it is needed, so that the hooks alone load no models.
    model = schema.message(accepted)
    name = model.python_name
    return [f"from {MODELS}.{model.module} import {name}", "", f"return {name}()"]
