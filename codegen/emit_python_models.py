"""Emit `mattermost_plugin/models`: one module per .proto file, and the lazy package around them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from codegen import header
from codegen.lowered import Conversion, ConversionKind, Field, Message, OpenEnum, Schema
from codegen.python_docs import model_texts
from codegen.python_format import format_python
from codegen.python_glossary import field_note, initial_value
from codegen.python_text import Glossary, description, docstring, imports, summary_and_rest
from codegen.python_types import (
    MODELS,
    ModelIndex,
    annotation,
    default,
    fresh,
    models,
    parameter_annotation,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

FOLDER = "src/mattermost_plugin/models"


def emit(schema: Schema) -> dict[str, str]:
    """Return the modules of `mattermost_plugin.models`."""
    head = header.header(schema, comment="#")
    glossary = Glossary.of(schema)
    index = ModelIndex(schema)
    modules = declarations(schema)
    files = {
        f"{FOLDER}/{module}.py": head + _module(module, found, index, glossary)
        for module, found in modules.items()
    }
    files[f"{FOLDER}/__init__.py"] = head + _package(modules)
    return format_python(files)


@dataclass(slots=True)
class Declarations:
    """What one module of models declares."""

    models: list[Message] = dataclasses.field(default_factory=list)
    enums: list[OpenEnum] = dataclasses.field(default_factory=list)

    def names(self) -> list[str]:
        """Return every public name, sorted."""
        found = [enum.name for enum in self.enums]
        for message in self.models:
            found += [message.python_name, *message.go_aliases]
        return sorted(found)


def declarations(schema: Schema) -> dict[str, Declarations]:
    """Return what each module declares, in the order of the modules' names."""
    modules: dict[str, Declarations] = {}
    for message in models(schema):
        modules.setdefault(message.module, Declarations()).models.append(message)
    for enum in schema.enums():
        modules.setdefault(enum.module, Declarations()).enums.append(enum)
    return dict(sorted(modules.items()))


def _package(declared: dict[str, Declarations]) -> str:
    modules = {module: found.names() for module, found in declared.items()}
    names = sorted(name for exported in modules.values() for name in exported)
    duplicates = {name for name in names if names.count(name) > 1}
    if duplicates:
        raise ValueError(f"models declared twice: {sorted(duplicates)}")
    reexports = {
        f"{MODELS}.{stem}": [f"{name} as {name}" for name in exported] for stem, exported in modules.items()
    }
    table = [f"    {name!r}: {stem!r}," for stem, exported in modules.items() for name in exported]
    return "\n".join(
        [
            '"""Every type of Mattermost\'s plugin contract. Each is loaded when it is first used."""',
            "from __future__ import annotations",
            "",
            "from importlib import import_module",
            "from typing import TYPE_CHECKING",
            "",
            "if TYPE_CHECKING:",
            *imports(reexports, "    "),
            "",
            "__all__ = [",
            *(f"    {name!r}," for name in names),
            "]",
            "_MODULES: dict[str, str] = {",
            *sorted(table),
            "}",
            "if not TYPE_CHECKING:  # a checker would take any name for one of these",
            "    def __getattr__(name: str) -> object:",
            "        module = _MODULES.get(name)",
            "        if module is None:",
            '            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")',
            '        value = getattr(import_module(f"{__name__}.{module}"), name)',
            "        globals()[name] = value",
            "        return value",
            "def __dir__() -> list[str]:",
            "    return sorted({*globals(), *__all__})",
            "",
        ]
    )


def _module(module: str, declared: Declarations, index: ModelIndex, glossary: Glossary) -> str:
    fields = [field for message in declared.models for field in message.fields]
    annotations = [annotation(field.conversion) for field in fields]
    bases = {"Model"} if declared.models else set()
    if declared.enums:
        bases.add("OpenEnum")
    runtime: dict[str, Iterable[str]] = {"mattermost_plugin._model": bases}
    typing = {"TYPE_CHECKING"}
    if declared.enums:
        typing.add("ClassVar")
    if any(default(field.conversion) == "ZERO_TIME" for field in fields):
        bases.add("ZERO_TIME")
    checking = index.imports(annotations, but=f"{MODELS}.{module}")
    if checking.pop("typing", None):
        typing.add("Any")
    if not checking:
        typing.discard("TYPE_CHECKING")
    if typing:
        runtime["typing"] = typing
    first = {name: names for name, names in runtime.items() if not name.startswith("mattermost_plugin")}
    second = {name: names for name, names in runtime.items() if name.startswith("mattermost_plugin")}
    lines = [
        f'"""Models of Mattermost\'s `{module}.go`."""',
        "from __future__ import annotations",
        "",
        *imports(first),
        "",
        *imports(second),
        "",
        *(["if TYPE_CHECKING:", *imports(checking, "    ")] if checking else []),
        "",
        f"__all__ = {declared.names()!r}",
    ]
    for enum in declared.enums:
        lines += ["", *_enum(enum, glossary)]
    for message in declared.models:
        lines += ["", *_model(message, index, glossary)]
        lines += [f"{alias} = {message.python_name}" for alias in message.go_aliases]
    return "\n".join(lines) + "\n"


def _enum(enum: OpenEnum, glossary: Glossary) -> list[str]:
    keywords = [f"{member.python_name}={member.value!r}" for member in enum.members]
    go_name = enum.go_type.rpartition(".")[2]
    summary, rest = summary_and_rest(description(enum.doc, go_name, glossary))
    lines = [
        f"class {enum.name}({', '.join(['OpenEnum', *keywords])}):",
        docstring(summary or f"Known values of `{enum.name}`.", [*rest, f"Go name: ``{enum.go_type}``."]),
        "    __slots__ = ()",
    ]
    for member in enum.members:
        lines.append(f"    {member.python_name}: ClassVar[{enum.name}]")
        texts = description(member.doc, member.go_name, glossary)
        if texts:
            lines.append(docstring(" ".join(texts)))
    return lines


def _model(message: Message, index: ModelIndex, glossary: Glossary) -> list[str]:
    summary, rest = summary_and_rest(model_texts(message, glossary))
    extra = [f"Go name: ``{message.go_type}``."]
    if message.go_aliases:
        extra.append(f"Also called {', '.join(f'`{alias}`' for alias in message.go_aliases)}.")
    slots = ", ".join(repr(field.python_name) for field in message.fields)
    lines = [
        f"class {message.python_name}(Model):",
        docstring(summary, [*rest, " ".join(extra)]),
        f"    __slots__ = ({slots}{',' if len(message.fields) == 1 else ''})",
    ]
    for field in message.fields:
        lines.append(f"    {field.python_name}: {annotation(field.conversion)}")
        texts = description(field.doc, field.go_name, glossary)
        note = field_note(field, message.python_name)
        if note:
            texts.append(note)
        if texts:
            first, more = summary_and_rest(texts)
            lines.append(docstring(first, more))
    if message.fields:
        lines += _init(message, index)
    return lines


def _init(message: Message, index: ModelIndex) -> list[str]:
    parameters = []
    body = []
    for field in message.fields:
        name = field.python_name
        zero = initial_value(message.python_name, name) or default(field.conversion)
        accepted = parameter_annotation(field.conversion, optional=zero is None)
        parameters.append(f"{name}: {accepted} = {zero or 'None'}")
        body.append(f"        self.{name} = {_initial(field, zero)}")
    lines = [f"    def __init__(self, *, {', '.join(parameters)}) -> None:"]
    # Models import each other only where they are needed at run time, and then not before: they form circles.
    needed = {item.conversion.python_type for item in message.fields if _needs_class(item.conversion)}
    local = index.imports(needed, but=f"{MODELS}.{message.module}")
    lines += imports(local, "        ")
    return lines + body


def _needs_class(conversion: Conversion) -> bool:
    """Whether `__init__` uses the class that the field's annotation names."""
    if conversion.kind is ConversionKind.ENUM:
        return True
    return conversion.kind is ConversionKind.MESSAGE and not conversion.nullable


def _initial(field: Field, zero: str | None) -> str:
    name, conversion = field.python_name, field.conversion
    if zero is None:
        return f"{fresh(conversion)} if {name} is None else {name}"
    if conversion.kind is ConversionKind.ENUM:
        made = f"{conversion.enum}({name})"
        return f"None if {name} is None else {made}" if conversion.nullable else made
    return name
