"""Emits the list of all types that go/internal/contracttest tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen.header import header
from codegen.lowered import MessageKind

if TYPE_CHECKING:
    from codegen.lowered import Schema

PATH = "go/internal/contracttest/registry_gen.go"


def emit(schema: Schema) -> dict[str, str]:
    """Return the file by its path."""
    names = [message.go_name for message in schema.messages() if message.kind is MessageKind.STRUCT]
    lines = [
        header(schema).rstrip("\n"),
        "",
        "package contracttest",
        "",
        'import "github.com/mattermost-plugin/mattermost-plugin/go/internal/convert"',
        "",
        "func structTypes() []Type {",
        "\treturn []Type{",
        *(f"\t\tentry(convert.{name}ToProto, convert.{name}FromProto)," for name in sorted(names)),
        "\t}",
        "}",
    ]
    return {PATH: "\n".join(lines) + "\n"}
