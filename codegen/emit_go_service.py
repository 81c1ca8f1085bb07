"""Emits the gRPC side of go/internal/service: the API and Driver servers and the client of the hooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen.emit_go_convert import MERGED_HOOKS
from codegen.go_methods import GoSignature, is_plain, message_literal, service_description, zero
from codegen.go_source import format_go, go_file
from codegen.header import header
from codegen.lowered import ConversionKind, Method, Role, Schema

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = "go/internal/service"

# Hooks whose bodies are written by hand although their wire form is their Go signature.
HANDWRITTEN_HOOKS = {
    "Implemented",  # remembers the answer
    "OnConfigurationChange",  # is not sent before the plugin is active
}

# Hooks that plugin.HooksWithRPCErr leaves out.
WITHOUT_RPC_ERROR = {
    "Implemented",
    "OnActivate",
    "ServeHTTP",
    "ServeMetrics",
    "FileWillBeUploaded",
    "MessagesWillBeConsumed",
    "MessagesWillBeConsumedWithContext",
    "TeamMemberWillBeAdded",
}


def emit(schema: Schema) -> dict[str, str]:
    """Return the generated files, path -> text."""
    bodies = {
        "api_server": _server(schema, "API", "api", "plugin.API"),
        "driver_server": _server(schema, "Driver", "driver", "plugin.Driver"),
        "hooks_client": _hooks(schema),
        "hooks_rpcerr": _reporting_hooks(schema),
        "hooks": _hook_tables(schema),
        "versions": _versions(schema),
    }
    return format_go(
        {
            f"{FOLDER}/{stem}_gen.go": go_file(
                "service", "\n\n".join(body), schema.go_packages, header(schema)
            )
            for stem, body in bodies.items()
        }
    )


def _server(schema: Schema, service: str, receiver: str, interface: str) -> Iterator[str]:
    yield service_description(schema, service, f"{receiver}Server")
    for method in schema.service(service).methods:
        if is_plain(method):
            yield _server_method(schema, method, f"{receiver}Server", interface)


def _server_method(schema: Schema, method: Method, receiver: str, interface: str) -> str:
    request, response = (schema.message(name).pb_go_name for name in (method.request, method.response))
    arguments = ", ".join(
        f"in.{field.pb_go_name}" + ("..." if field.variadic else "") for field in method.params
    )
    call = f"target.{method.go_name}({arguments})"
    names = [
        "err" if field.role is Role.ERROR else f"result{index or ''}"
        for index, field in enumerate(method.results)
    ]
    body = f"{', '.join(names)} := {call}" if names else call
    return (
        f"func (s *{receiver}) {method.go_name}(ctx context.Context, in *convert.{request}) "
        f"(*convert.{response}, error) {{\n"
        f'return invoke(ctx, &s.server, "{method.go_name}", '
        f"func(target {interface}) *convert.{response} {{\n"
        f"{body}\nreturn {message_literal(response, method.results, names)}\n}})\n}}"
    )


def _hooks(schema: Schema) -> Iterator[str]:
    for method in schema.service("Hooks").methods:
        if is_plain(method) and method.go_name not in HANDWRITTEN_HOOKS:
            yield _hook(schema, method)


def _hook(schema: Schema, method: Method) -> str:
    signature = GoSignature.of(method, schema)
    name = method.go_name
    request, response = (schema.message(message).pb_go_name for message in (method.request, method.response))
    values = [param.name for param in signature.params]
    skipped = f"return {', '.join(_unchanged(method, signature))}".rstrip()
    call = (
        f'Call[convert.{response}](ctx, h.conn, "{method.path}", '
        f"{message_literal(request, method.params, values)})"
    )
    head = (
        f"// {_summary(method)}\n"
        f"func (h *HooksClient) {signature.text} {{\n"
        f"if !h.has(plugin.{name}ID) {{\n{skipped}\n}}\n"
        f'ctx, cancel := h.context("{name}")\ndefer cancel()\n'
    )
    if not method.results:
        return f'{head}if _, err := {call}; err != nil {{\n_ = h.failed("{name}", err)\n}}\n}}'
    failure, reply = _failure(method, signature), _reply(schema, method)
    return f"{head}out, err := {call}\nif err != nil {{\n{failure}\n}}\n{reply}\n}}"


def _summary(method: Method) -> str:
    first = method.doc.split("\n\n", 1)[0].replace("\n", " ").split(". ", 1)[0].rstrip(".")
    return f"{first}." if first.startswith(method.go_name) else f"{method.go_name} calls the hook."


def _unchanged(method: Method, signature: GoSignature) -> list[str]:
    """Return the results that leave everything as it is: what a plugin without the hook is taken to say."""
    values = [zero(result) for result in signature.results]
    if method.unchanged:
        values[0] = method.unchanged
    return values


def _failure(method: Method, signature: GoSignature) -> str:
    """Return the statements for a call that failed."""
    values = _unchanged(method, signature)
    name = method.go_name
    before = "".join(f"{value}, " for value in values[:-1])
    if method.policy:
        if method.rejection_reason is None:
            return f'return {before}h.refusal("{name}", err)'
        if len(values) == 1:
            return f'return h.refused("{name}", err)'
        kept = values[:1] if name in MERGED_HOOKS else [zero(signature.results[0])]
        refused = "".join(f"{value}, " for value in (*kept, *map(zero, signature.results[1:-1])))
        return (
            f'if reason := h.refused("{name}", err); reason != "" {{\nreturn {refused}reason\n}}\n'
            f"return {', '.join(values)}"
        )
    if method.error is None:
        return f'_ = h.failed("{name}", err)\nreturn {", ".join(values)}'
    if method.error.conversion.kind is ConversionKind.MESSAGE:
        return f'return {before}h.appError("{name}", err)'
    return f'return {before}h.failed("{name}", err)'


def _reply(schema: Schema, method: Method) -> str:
    """Return the statements for a reply."""
    results = [f"out.{field.pb_go_name}" for field in method.results]
    if not method.unchanged:
        return f"return {', '.join(results)}"
    value, reason = method.results[0], method.rejection_reason
    if reason is None:
        raise ValueError(f"{method.go_name}: only a hook with a rejection reason can have an unchanged value")
    unset = f"out.{value.pb_go_name} == nil"
    if method.go_name in MERGED_HOOKS:
        stem = schema.message(value.conversion.message).go_name
        results[0] = f"convert.Merged({method.unchanged}, {results[0]}, convert.Merge{stem})"
    return (
        f'if {unset} && out.{reason.pb_go_name} == "" {{\n'
        f'return {method.unchanged}, ""\n}}\n'
        f"return {', '.join(results)}"
    )


def _reporting_hooks(schema: Schema) -> Iterator[str]:
    """Yield the methods of plugin.HooksWithRPCErr: a call that failed has no results but its error."""
    for method in schema.service("Hooks").methods:
        if method.go_name in WITHOUT_RPC_ERROR:
            continue
        signature = GoSignature.of(method, schema)
        name = method.go_name
        head = (
            f"// {name}WithRPCErr is {name} that tells whether the call failed.\n"
            f"func (h *HooksClient) {signature.with_error(f'{name}WithRPCErr')} {{\ncall := h.reporting()\n"
        )
        call = f"call.{name}({', '.join(param.argument for param in signature.params)})"
        if not signature.results:
            yield f"{head}{call}\nreturn call.failure.err()\n}}"
            continue
        names = [f"result{index or ''}" for index in range(len(signature.results))]
        zeros = ", ".join(map(zero, signature.results))
        yield (
            f"{head}{', '.join(names)} := {call}\n"
            f"if err := call.failure.err(); err != nil {{\nreturn {zeros}, err\n}}\n"
            f"return {', '.join(names)}, nil\n}}"
        )


def _hook_tables(schema: Schema) -> Iterator[str]:
    methods = [method for method in schema.service("Hooks").methods if method.go_name != "Implemented"]
    names = "".join(f'"{method.go_name}",\n' for method in methods)
    ids = "".join(f'"{method.go_name}": plugin.{method.go_name}ID,\n' for method in methods)
    silent = [method.go_name for method in methods if not method.results and is_plain(method)]
    yield f"// hookNames are the hooks in the order of plugin.Hooks.\nvar hookNames = []string{{\n{names}}}"
    yield f"// hookIDs are the numbers Mattermost gives the hooks.\nvar hookIDs = map[string]int{{\n{ids}}}"
    entries = "".join(f'"{name}": true,\n' for name in silent)
    yield f"// notifications are hooks without results.\nvar notifications = map[string]bool{{\n{entries}}}"


def _versions(schema: Schema) -> Iterator[str]:
    for service, name in (("API", "apiVersions"), ("Driver", "driverVersions")):
        entries = "".join(
            f'"{method.go_name}": "{method.minimum_version}",\n'
            for method in schema.service(service).methods
            if method.minimum_version
        )
        yield (
            f"// {name} are the first server versions that have the methods of plugin.{service}.\n"
            f"var {name} = map[string]string{{\n{entries}}}"
        )
