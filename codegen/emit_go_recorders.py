"""Emits go/internal/contracttest/recorders_gen.go: Mattermost's interfaces as functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen.go_methods import GoSignature
from codegen.go_source import format_go, go_file
from codegen.header import header

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codegen.lowered import Method, Schema

PATH = "go/internal/contracttest/recorders_gen.go"


def emit(schema: Schema) -> dict[str, str]:
    """Return the generated file, path -> text."""
    body = "\n\n".join(part for service in schema.services for part in _recorder(schema, service.name))
    return format_go({PATH: go_file("contracttest", body, schema.go_packages, header(schema))})


def _recorder(schema: Schema, service: str) -> Iterator[str]:
    name = f"{service}Func"
    yield (
        f"// {name} is a plugin.{service} that hands every call to a function, which returns the results.\n"
        f"type {name} func(method string, args ...any) []any\n\n"
        f"var _ plugin.{service} = {name}(nil)"
    )
    for method in schema.service(service).methods:
        yield _method(schema, method, name)


def _method(schema: Schema, method: Method, receiver: str) -> str:
    signature = GoSignature.of(method, schema)
    arguments = "".join(f", {param.name}" for param in signature.params)
    call = f'call("{method.go_name}"{arguments})'
    if not signature.results:
        return f"func (call {receiver}) {signature.text} {{\n{call}\n}}"
    results = ", ".join(f"result[{result}](results, {i})" for i, result in enumerate(signature.results))
    return f"func (call {receiver}) {signature.text} {{\nresults := {call}\nreturn {results}\n}}"
