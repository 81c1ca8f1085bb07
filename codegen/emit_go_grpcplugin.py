"""Emits go/grpcplugin: plugin.API and plugin.Driver over gRPC, and the Hooks service over a Go plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen.go_conversion import GoConversion
from codegen.go_methods import GoSignature, is_plain, zero
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
    conversion = GoConversion(schema, "convert.")
    for method in schema.service(service).methods:
        if is_plain(method) and method.go_name not in _HANDWRITTEN:
            yield _client_method(schema, method, conversion, receiver)


def _client_method(schema: Schema, method: Method, conversion: GoConversion, receiver: str) -> str:
    signature = GoSignature.of(method, schema)
    name = method.go_name
    fields = "".join(
        f"{field.pb_go_name}: {conversion.to_proto(field.conversion, param.name)},\n"
        for field, param in zip(method.params, signature.params, strict=True)
    )
    parts = f"\n{fields}" if fields else ""
    request = f"&pluginpb.{schema.message(method.request).pb_go_name}{{{parts}}}"
    call = f"a.stub.{name}(context.Background(), {request})"
    head = f"func (a *{receiver}) {signature.text} {{\n"
    if not method.results:
        return f'{head}if _, err := {call}; err != nil {{\nlogFailure("{name}", err)\n}}\n}}'
    results = [conversion.from_proto(field.conversion, f"out.{field.pb_go_name}") for field in method.results]
    return (
        f"{head}out, err := {call}\nif err != nil {{\n{_failure(method, signature)}\n}}\n"
        f"return {', '.join(results)}\n}}"
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
    conversion = GoConversion(schema, "convert.")
    for method in schema.service("Hooks").methods:
        if is_plain(method) and method.go_name not in _HANDWRITTEN:
            yield _hook(schema, method, conversion)


def _hook(schema: Schema, method: Method, conversion: GoConversion) -> str:
    name = method.go_name
    request, response = (schema.message(message) for message in (method.request, method.response))
    arguments = ", ".join(
        conversion.from_proto(field.conversion, f"in.{field.pb_go_name}") + ("..." if field.variadic else "")
        for field in method.params
    )
    names = [
        "err" if field.role is Role.ERROR else f"result{index or ''}"
        for index, field in enumerate(method.results)
    ]
    fields = "".join(
        f"{field.pb_go_name}: {conversion.to_proto(field.conversion, result)},\n"
        for field, result in zip(method.results, names, strict=True)
    )
    call = f"hook.{name}({arguments})"
    body = f"{', '.join(names)} := {call}" if names else call
    parts = f"\n{fields}" if fields else ""
    return (
        f"func (s *hooksServer) {name}(_ context.Context, in *pluginpb.{request.pb_go_name}) "
        f"(*pluginpb.{response.pb_go_name}, error) {{\n"
        f"hook, ok := s.plugin.(interface{{ {GoSignature.of(method, schema).text} }})\n"
        f'if !ok {{\nreturn nil, notImplemented("{name}")\n}}\n'
        f"{body}\nreturn &pluginpb.{response.pb_go_name}{{{parts}}}, nil\n}}"
    )
