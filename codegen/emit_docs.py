"""Emits the reference: hooks, API methods and models as Markdown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from codegen.header import header
from codegen.lowered import ConversionKind, MessageKind
from codegen.python_docs import method_texts, model_texts
from codegen.python_glossary import field_note
from codegen.python_methods import opening_signature, signature, unavailable
from codegen.python_text import Glossary, description, tags
from codegen.python_types import annotation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from codegen.lowered import Conversion, Field, Message, Method, OpenEnum, Schema

ROOT = "docs/reference"

# Groups of API methods: the @tag that Go's comments have -> title. Anything else is "Other".
_GROUPS = {
    "AccessControl": "Access control",
    "Audit": "Audit log",
    "Bot": "Bots",
    "Channel": "Channels",
    "ChannelSidebar": "Channel sidebar",
    "Configuration": "Configuration",
    "Emoji": "Emoji",
    "File": "Files",
    "Frontend": "Web and mobile apps",
    "Group": "Groups",
    "KeyValueStore": "Key-value store",
    "Logging": "Logging",
    "Notification": "Notifications",
    "OAuth": "OAuth",
    "Permission": "Permissions",
    "Plugin": "Plugins",
    "Post": "Posts",
    "PropertyField": "Properties",
    "Server": "Server",
    "SharedChannels": "Shared channels",
    "SlashCommand": "Slash commands",
    "Team": "Teams",
    "Upload": "Uploads",
    "User": "Users",
}
_SAME_GROUP = {"Command": "SlashCommand", "PropertyGroup": "PropertyField", "PropertyValue": "PropertyField"}

# Methods whose comments have no tag.
_UNTAGGED = {
    "EnsureBotUser": "Bot",
    "GetCloudLimits": "Server",
    "GetSession": "User",
    "KVSetWithOptions": "KeyValueStore",
    "OpenInteractiveDialog": "Frontend",
    "PluginHTTP": "Plugin",
    "PublishPluginClusterEvent": "Plugin",
    "PublishWebSocketEvent": "Frontend",
    "RegisterCollectionAndTopic": "Post",
    "RequestTrialLicense": "Server",
    "RolesGrantPermission": "Permission",
    "SendMail": "Notification",
    "SendPushNotification": "Notification",
}


def emit(schema: Schema) -> dict[str, str]:
    """Return the pages by path."""
    return _Reference(schema).pages()


class _Reference:
    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._glossary = Glossary.of(schema)
        self._messages = {
            message.name: message
            for message in schema.messages()
            if message.kind is MessageKind.STRUCT and not message.is_exception
        }
        self._enums = {enum.name: enum for enum in schema.enums()}

    def pages(self) -> dict[str, str]:
        pages: dict[str, Iterable[str]] = {"hooks.md": self._hooks()}
        groups = self._groups()
        for title, methods in groups.items():
            pages[f"api/{_slug(title)}.md"] = self._api(title, methods)
        for module in sorted({item.module for item in self._declared()}):
            pages[f"models/{module}.md"] = self._models(module)
        pages["README.md"] = self._index(groups)
        return {f"{ROOT}/{name}": self._page(lines) for name, lines in pages.items()}

    def _declared(self) -> list[Message | OpenEnum]:
        return [*self._messages.values(), *self._enums.values()]

    def _page(self, lines: Iterable[str]) -> str:
        note = header(self._schema, comment="").strip()
        text = "\n".join([f"<!-- {note} -->", "", *lines])
        return re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n"

    def _groups(self) -> dict[str, list[Method]]:
        groups: dict[str, list[Method]] = {}
        for method in self._schema.service("API").methods:
            found = tags(method.doc)
            tag = found[0] if found else _UNTAGGED.get(method.go_name, "")
            title = _GROUPS.get(_SAME_GROUP.get(tag, tag), "Other")
            groups.setdefault(title, []).append(method)
        return dict(sorted(groups.items()))

    def _index(self, groups: dict[str, list[Method]]) -> list[str]:
        source = self._schema.module.partition("/")[2]
        lines = [
            "# Reference",
            "",
            f"What {source} {self._schema.version} offers plugins, under its Python names.",
            "",
            "- [Hooks](hooks.md): what the server tells and asks a plugin",
            *(
                f"- API, [{_inside(title)}](api/{_slug(title)}.md): "
                + ", ".join(f"`{method.python_name}`" for method in methods)
                for title, methods in groups.items()
            ),
            "",
            "## Models",
            "",
        ]
        names = sorted((item.name, item.module) for item in self._declared())
        lines += [f"- [{name}](models/{module}.md#{name.lower()})" for name, module in names]
        return lines

    def _hooks(self) -> Iterator[str]:
        methods = [m for m in self._schema.service("Hooks").methods if m.go_name != "Implemented"]
        yield "# Hooks"
        yield ""
        yield (
            "Methods of `Plugin` and `AsyncPlugin` that a plugin may override. Only overridden hooks are "
            "reported to the server and called."
        )
        yield ""
        yield from (f"- [`{method.python_name}`](#{method.python_name})" for method in methods)
        for method in methods:
            yield from self._method(method, models="models")

    def _api(self, title: str, methods: list[Method]) -> Iterator[str]:
        yield f"# API: {_inside(title)}"
        yield ""
        yield "Methods of `self.api`; with `AsyncPlugin` they are awaited."
        yield ""
        yield from (f"- [`{method.python_name}`](#{method.python_name})" for method in methods)
        for method in methods:
            yield from self._method(method, models="../models")

    def _method(self, method: Method, models: str) -> Iterator[str]:
        yield from ("", f"## {method.python_name}", "", "```python")
        yield from _signature(f"def {signature(method)}")
        if opening := opening_signature(method):
            yield from _signature(f"def {opening}")
        yield from ("```", "")
        if problem := unavailable(method):
            yield from (f"**Not in this release:** {problem}.", "")
        yield from _listed(method_texts(method, self._glossary))
        yield ""
        facts = [f"Go: `{method.go_signature}`"]
        if method.minimum_version:
            facts.append(f"Minimum server version: {method.minimum_version}")
        if method.error is not None and method.service != "Hooks":
            error = "AppError" if method.error.conversion.message else "PluginError"
            facts.append(f"Raises: `{error}`")
        fields = (*method.params, *method.values)
        if links := self._links((field.conversion for field in fields), models):
            facts.append(f"Models: {links}")
        yield from (f"- {fact}" for fact in facts)

    def _links(self, conversions: Iterable[Conversion], folder: str) -> str:
        named: dict[str, str] = {}
        for conversion in conversions:
            for part in conversion.walk():
                name = part.message or part.enum
                known = self._messages.get(name) or self._enums.get(name)
                if known is not None:
                    named[name] = known.module
        return ", ".join(f"[{name}]({folder}/{module}.md#{name.lower()})" for name, module in named.items())

    def _models(self, module: str) -> Iterator[str]:
        messages = [message for message in self._messages.values() if message.module == module]
        enums = [enum for enum in self._enums.values() if enum.module == module]
        yield f"# Models: {module}"
        for enum in enums:
            yield from self._enum(enum)
        for message in messages:
            yield from self._message(message)

    def _enum(self, enum: OpenEnum) -> Iterator[str]:
        yield from ("", f"## {enum.name}", "")
        yield from _listed(description(enum.doc, enum.go_type.rpartition(".")[2], self._glossary))
        yield from ("", f"A string; other values than these may come. Go: `{enum.go_type}`", "")
        yield from ("| member | value | |", "|---|---|---|")
        for member in enum.members:
            yield _row(
                f"`{member.python_name}`", f"`{member.value}`", self._inline(member.doc, member.go_name)
            )

    def _message(self, message: Message) -> Iterator[str]:
        yield from ("", f"## {message.name}", "")
        yield from _listed(model_texts(message, self._glossary))
        yield from ("", f"Go: `{message.go_type}`", "")
        if not message.fields:
            yield "It has no fields."
            return
        yield from ("| field | type | |", "|---|---|---|")
        for field in message.fields:
            note = " ".join(filter(None, (self._inline(field.doc, field.go_name), field_note(field))))
            yield _row(f"`{field.python_name}`", self._type(field), note)

    def _type(self, field: Field) -> str:
        shown = f"`{annotation(field.conversion)}`"
        links = self._links([field.conversion], ".").replace("](./", "](")
        direct = field.conversion.kind in {ConversionKind.MESSAGE, ConversionKind.ENUM}
        if direct and links and not field.conversion.nullable:
            return links
        return f"{shown} {links}".rstrip()

    def _inline(self, doc: str, go_name: str) -> str:
        return " ".join(text.removeprefix("- ") for text in description(doc, go_name, self._glossary))


def _listed(texts: Iterable[str]) -> Iterator[str]:
    """Lay out paragraphs, those that begin with "- " as items of a list."""
    previous_item = False
    for paragraph in texts:
        item = paragraph.startswith("- ")
        if not (item and previous_item):
            yield ""
        yield paragraph
        previous_item = item


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _signature(text: str) -> list[str]:
    """Break a long signature into one parameter per line."""
    if len(text) <= 90:
        return [text]
    opening = text.index("(")
    closing = text.rindex(") -> ")
    depth = 0
    parts = [""]
    for char in text[opening + 1 : closing]:
        depth += {"[": 1, "]": -1}.get(char, 0)
        if char == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return [text[: opening + 1], *(f"    {part.strip()}," for part in parts), text[closing:]]


def _inside(title: str) -> str:
    """Return a title as it stands inside a sentence."""
    return title if title[1].isupper() else title.lower()


def _slug(title: str) -> str:
    return title.lower().replace(" ", "-")
