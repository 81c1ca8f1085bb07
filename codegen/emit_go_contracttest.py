"""Emits the list of all types that go/internal/contracttest tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen.go_source import format_go
from codegen.header import header
from codegen.lowered import MessageKind

if TYPE_CHECKING:
    from codegen.lowered import Schema

PATH = "go/internal/contracttest/registry_gen.go"


def emit(schema: Schema) -> dict[str, str]:
    """Return the file by its path."""
    structs = sorted(
        (message.go_name, message.pb_go_name)
        for message in schema.messages()
        if message.kind is MessageKind.STRUCT
    )
    kinds = {MessageKind.REQUEST, MessageKind.RESPONSE}
    streams = {
        stream.message
        for service in schema.services
        for method in service.methods
        for stream in (method.request_stream, method.response_stream)
        if stream is not None
    }
    messages = sorted(
        message.pb_go_name
        for message in schema.messages()
        if message.kind in kinds and message.name not in streams
    )
    return format_go(
        {
            PATH: f"{header(schema)}\npackage contracttest\n\nimport (\n"
            '"github.com/mattermost-plugin/mattermost-plugin/go/internal/convert"\n'
            '"github.com/mattermost-plugin/mattermost-plugin/go/pluginpb"\n)\n\n'
            "func structTypes() []Type {\nreturn []Type{\n"
            + "".join(
                f"entry[pluginpb.{proto}](convert.Append{name}, convert.Parse{name}),\n"
                for name, proto in structs
            )
            + "}\n}\n\nfunc messageTypes() []Type {\nreturn []Type{\n"
            + "".join(f"messageEntry[pluginpb.{name}, convert.{name}](),\n" for name in messages)
            + "}\n}\n\nfunc partTypes() []Type {\nreturn []Type{\n"
            + "".join(
                f"messageEntry[pluginpb.{name}, convert.{name}](),\n"
                for name in sorted(schema.message(message).pb_go_name for message in streams)
            )
            + "}\n}\n"
        }
    )
