"""Emits go/grpcplugin: plugin.API and plugin.Driver over gRPC, and the Hooks service over a Go plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen.go_methods import GoSignature, is_plain, message_literal, service_description, zero
from codegen.go_source import format_go, go_file
from codegen.header import header
from codegen.lowered import ConversionKind, Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codegen.lowered import Method, Schema

FOLDER = "go/grpcplugin"

# Methods whose bodies are written by hand although their wire form is their Go signature.
_HANDWRITTEN = {
    "Implemented",  # what the Go type has
    "LogDebug",  # values become strings
    "LogInfo",
    "LogWarn",
    "LogError",
    "RowsClose",  # forget rows that were fetched ahead
    "RowsNextResultSet",
}


def emit(schema: Schema) -> dict[str, str]:
    """Return the generated files, path -> text."""
    bodies = {
        "api_client": _client(schema, "API", "apiClient"),
        "driver_client": _client(schema, "Driver", "driverClient"),
        "hooks_server": _hooks(schema),
    }
    return format_go(
        {
            f"{FOLDER}/{stem}_gen.go": go_file(
                "grpcplugin", "\n\n".join(body), schema.go_packages, header(schema)
            )
            for stem, body in bodies.items()
        }
    )


def _client(schema: Schema, service: str, receiver: str) -> Iterator[str]:
    for method in schema.service(service).methods:
        if is_plain(method) and method.go_name not in _HANDWRITTEN:
            yield _client_method(schema, method, receiver)


def _client_method(schema: Schema, method: Method, receiver: str) -> str:
    signature = GoSignature.of(method, schema)
    name = method.go_name
    request, response = (schema.message(message).pb_go_name for message in (method.request, method.response))
    values = [param.name for param in signature.params]
    call = (
        f'service.Call[convert.{response}](context.Background(), a.conn, "{method.path}", '
        f"{message_literal(request, method.params, values)})"
    )
    head = f"func (a *{receiver}) {signature.text} {{\n"
    if not method.results:
        return f'{head}if _, err := {call}; err != nil {{\nlogFailure("{name}", err)\n}}\n}}'
    results = ", ".join(f"out.{field.pb_go_name}" for field in method.results)
    return (
        f"{head}out, err := {call}\nif err != nil {{\n{_failure(method, signature)}\n}}\nreturn {results}\n}}"
    )


def _failure(method: Method, signature: GoSignature) -> str:
    """Return the statements for a call that failed."""
    name, error = method.go_name, method.error
    if error is None:
        return f'logFailure("{name}", err)\nreturn {", ".join(map(zero, signature.results))}'
    failure = "appError" if error.conversion.kind is ConversionKind.MESSAGE else "callError"
    values = [
        f'{failure}("{name}", err)' if field is error else zero(result)
        for field, result in zip(method.results, signature.results, strict=True)
    ]
    return f"return {', '.join(values)}"


def _hooks(schema: Schema) -> Iterator[str]:
    yield service_description(schema, "Hooks", "hooksServer", prefix="service.")
    for method in schema.service("Hooks").methods:
        if is_plain(method) and method.go_name not in _HANDWRITTEN:
            yield _hook(schema, method)


def _hook(schema: Schema, method: Method) -> str:
    name = method.go_name
    request, response = (schema.message(message).pb_go_name for message in (method.request, method.response))
    arguments = ", ".join(
        f"in.{field.pb_go_name}" + ("..." if field.variadic else "") for field in method.params
    )
    names = [
        "err" if field.role is Role.ERROR else f"result{index or ''}"
        for index, field in enumerate(method.results)
    ]
    call = f"hook.{name}({arguments})"
    body = f"{', '.join(names)} := {call}" if names else call
    return (
        f"func (s *hooksServer) {name}(_ context.Context, in *convert.{request}) "
        f"(*convert.{response}, error) {{\n"
        f"hook, ok := s.plugin.(interface{{ {GoSignature.of(method, schema).text} }})\n"
        f'if !ok {{\nreturn nil, notImplemented("{name}")\n}}\n'
        f"{body}\nreturn {message_literal(response, method.results, names)}, nil\n}}"
    )
