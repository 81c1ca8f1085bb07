"""Emit `mattermost_plugin/api`: the blocking and the awaitable face of the server's API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen import header
from codegen.python_docs import method_docstring, opening_docstring
from codegen.python_format import format_python
from codegen.python_methods import (
    api_annotation,
    opening_name,
    parameters,
    returns_content,
    streamed_parameters,
)
from codegen.python_text import Glossary, imports
from codegen.python_types import ModelIndex

if TYPE_CHECKING:
    from codegen.lowered import Method, Schema

FOLDER = "src/mattermost_plugin/api"

# What each face takes for content that streams to the server, and gives for content that streams from it.
_CONTENT = {False: "Content", True: "AsyncContent"}
_OPENED = {False: "BinaryIO", True: "AsyncReader"}

# What clients get as JSON, whatever Python has it as: Go name of the method, and the parameter.
_AS_JSON = ("PublishWebSocketEvent", "payload")

_PACKAGE = '''"""What a plugin can ask the server to do: `API` for `Plugin`, `AsyncAPI` for `AsyncPlugin`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mattermost_plugin.api._async import AsyncAPI as AsyncAPI
    from mattermost_plugin.api._sync import API as API

__all__ = ["API", "AsyncAPI"]

# A plugin uses one of them, so only that one is loaded.
_MODULES = {"API": "_sync", "AsyncAPI": "_async"}


if not TYPE_CHECKING:  # a checker would take any name for one of these

    def __getattr__(name: str) -> object:
        module = _MODULES.get(name)
        if module is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{module}"), name)
        globals()[name] = value
        return value
'''


def emit(schema: Schema) -> dict[str, str]:
    """Return the modules of `mattermost_plugin.api`."""
    head = header.header(schema, comment="#")
    return format_python(
        {
            f"{FOLDER}/__init__.py": head + _PACKAGE,
            f"{FOLDER}/_sync.py": head + _face(schema, asynchronous=False),
            f"{FOLDER}/_async.py": head + _face(schema, asynchronous=True),
        }
    )


def _face(schema: Schema, *, asynchronous: bool) -> str:
    methods = schema.service("API").methods
    glossary = Glossary.of(schema)
    name, base = ("AsyncAPI", "AsyncFace") if asynchronous else ("API", "SyncFace")
    module = "mattermost_plugin._runtime." + ("faces_async" if asynchronous else "faces")
    annotations = [text for method in methods for _, text in parameters(method)]
    annotations += [api_annotation(method) for method in methods]
    checking = ModelIndex(schema).imports(annotations)
    typing = {"TYPE_CHECKING"} | set(checking.pop("typing", set()))
    checking["mattermost_plugin.files"] = {_CONTENT[asynchronous]}
    if asynchronous:
        checking["mattermost_plugin.files"].add(_OPENED[asynchronous])
    else:
        checking["typing"] = {_OPENED[asynchronous]}
    manner = "awaitable" if asynchronous else "blocking"
    return "\n".join(
        [
            f'"""The {manner} API of the Mattermost server."""',
            "from __future__ import annotations",
            "",
            *imports({"typing": typing}),
            "",
            *imports(
                {
                    "mattermost_plugin._codec.json_values": ["json_object"],
                    "mattermost_plugin._gen": ["api_methods as _m"],
                    module: [base],
                }
            ),
            "",
            "if TYPE_CHECKING:",
            *imports(checking, "    "),
            "",
            f"__all__ = [{name!r}]",
            f"class {name}({base}):",
            f'    """Every method that Mattermost offers to plugins, {manner}.',
            "",
            "    A plugin has it as `self.api`. Times are milliseconds since the Unix epoch.",
            '    """',
            "    __slots__ = ()",
            *(
                line
                for method in methods
                for line in ("", *_method(method, glossary, asynchronous=asynchronous))
            ),
            "",
        ]
    )


def _method(method: Method, glossary: Glossary, *, asynchronous: bool) -> list[str]:
    found = parameters(method, content=_CONTENT[asynchronous])
    streamed = [stream.python_name for stream in streamed_parameters(method)]
    # The variadic part travels as a list.
    passed = [f"list({name[1:]})" if name.startswith("*") else name for name, _ in found]
    if method.go_name == _AS_JSON[0]:
        passed = [f"json_object({name}, {name!r})" if name == _AS_JSON[1] else name for name in passed]
    given = [*streamed, *(name for name in passed if name not in streamed)]
    entry = f"_m.{method.python_name.upper()}"
    core = "_send" if streamed else "_receive" if returns_content(method) else "_call"
    lines = [
        *_head(method.python_name, found, api_annotation(method), asynchronous=asynchronous),
        method_docstring(method, glossary),
        *_body(core, [entry, *given], api_annotation(method), asynchronous=asynchronous),
    ]
    if opening_name(method):
        lines += [
            "",
            *_head(opening_name(method), found, _OPENED[asynchronous], asynchronous=asynchronous),
            opening_docstring(method, glossary),
            *_body("_open", [entry, *given], _OPENED[asynchronous], asynchronous=asynchronous),
        ]
    return lines


def _head(name: str, found: list[tuple[str, str]], returned: str, *, asynchronous: bool) -> list[str]:
    shown = ", ".join(["self", *(f"{parameter}: {text}" for parameter, text in found)])
    return [f"    {'async ' if asynchronous else ''}def {name}({shown}) -> {returned}:"]


def _body(core: str, given: list[str], returned: str, *, asynchronous: bool) -> list[str]:
    call = f"{'await ' if asynchronous else ''}self.{core}({', '.join(given)})"
    return [f"        {'' if returned == 'None' else 'return '}{call}"]
