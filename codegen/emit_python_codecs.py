"""Emit `mattermost_plugin/_gen/codecs`: for each model `encode_<name>` and `decode_<name>`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen import header
from codegen.python_codecs import CODECS, Names, decode_field, encode_field, message_order, needs_presence
from codegen.python_format import format_python
from codegen.python_text import imports
from codegen.python_types import MODELS, ModelIndex, models

if TYPE_CHECKING:
    from codegen.lowered import Field, Message, Schema

FOLDER = "src/mattermost_plugin/_gen"


def emit(schema: Schema) -> dict[str, str]:
    """Return the modules of `mattermost_plugin._gen.codecs`."""
    head = header.header(schema, comment="#")
    modules: dict[str, list[Message]] = {}
    for message in models(schema):
        modules.setdefault(message.module, []).append(message)
    files = {
        f"{FOLDER}/__init__.py": head + '"""Generated: descriptors, codecs and tables of methods."""\n',
        f"{FOLDER}/codecs/__init__.py": head + '"""Protobuf messages to models and back, by module."""\n',
    }
    index = ModelIndex(schema)
    for module, messages in modules.items():
        files[f"{FOLDER}/codecs/{module}.py"] = head + _module(schema, module, messages, index)
    return format_python(files)


def _module(schema: Schema, module: str, messages: list[Message], index: ModelIndex) -> str:
    names = Names(schema, module)
    functions = [
        line
        for message in messages
        for line in ("", *_decoder(names, message), "", *_encoder(names, message))
    ]
    first = {"typing": {"Any"}}
    second: dict[str, set[str]] = {f"{MODELS}.{module}": {message.python_name for message in messages}}
    second["mattermost_plugin._codec.problems"] = {"ENCODING_ERRORS", "explain"}
    for source, functions_used in names.special_imports().items():
        second.setdefault(source, set()).update(functions_used)
    if names.enums:
        second["mattermost_plugin._model"] = {"known"}
    for enum in names.enums:
        second.setdefault(index.modules[enum], set()).add(enum)
    # Cross-module codecs are linked on first call, so that reading a Post loads what that post contains.
    linked = sorted(names.messages[name].function_name for name in names.linked)
    targets = {names.messages[name].function_name: names.messages[name] for name in names.linked}
    typing_imports: dict[str, set[str]] = {}
    for target in targets.values():
        typing_imports.setdefault(f"{MODELS}.{target.module}", set()).add(target.python_name)
    if typing_imports:
        first["typing"].add("TYPE_CHECKING")
    lines = [
        f'"""Protobuf messages to the models of `models.{module}` and back."""',
        "from __future__ import annotations",
        "",
        *imports(first),
        "",
        *imports(second),
        "",
        *(["if TYPE_CHECKING:", *imports(typing_imports, "    ")] if typing_imports else []),
        "",
        *(f"_{enum} = known({enum})" for enum in sorted(names.enums)),
        "_new: Any = object.__new__",
    ]
    for function in linked:
        lines += ["", *_link(targets[function])]
    return "\n".join([*lines, *functions]) + "\n"


def _link(target: Message) -> list[str]:
    """Return functions that put the codecs of another module in their own place at their first call."""
    name = target.function_name
    return [
        f"def decode_{name}(m: Any) -> {target.python_name}:",
        f"    from {CODECS} import {target.module} as home",
        "",
        f"    globals()['decode_{name}'] = home.decode_{name}",
        f"    return home.decode_{name}(m)",
        "",
        f"def encode_{name}(o: {target.python_name}, m: Any) -> None:",
        f"    from {CODECS} import {target.module} as home",
        "",
        f"    globals()['encode_{name}'] = home.encode_{name}",
        f"    home.encode_{name}(o, m)",
    ]


def _decoder(names: Names, message: Message) -> list[str]:
    fields = message_order(message)
    lines = [
        f"def decode_{message.function_name}(m: Any) -> {message.python_name}:",
        f"    o: {message.python_name} = _new({message.python_name})",
    ]
    if any(needs_presence(field) for field in fields):
        lines.append("    has = m.HasField")
    for field in fields:
        before, value = decode_field(names, field)
        lines += [f"    {line}" for line in before]
        lines.append(f"    o.{field.python_name} = {value}")
    return [*lines, "    return o"]


def _encoder(names: Names, message: Message) -> list[str]:
    lines = [f"def encode_{message.function_name}(o: {message.python_name}, m: Any) -> None:"]
    stores = [line for field in message_order(message) for line in _stores(names, message, field)]
    if any(line.startswith("v = ") for line in stores):
        lines.append("    v: Any")
    lines += ["    try:", *(f"        {line}" for line in stores)]
    if not message.fields:
        lines.append("        pass")
    return [
        *lines,
        "    except ENCODING_ERRORS as error:",
        f"        raise explain(error, o, {message.python_name}, m) from None",
    ]


def _stores(names: Names, message: Message, field: Field) -> list[str]:
    place = f"{message.python_name}.{field.python_name}"
    return encode_field(names, field, f"o.{field.python_name}", place)
