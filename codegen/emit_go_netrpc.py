"""Emits the net/rpc side of go/internal/service: the API over Mattermost's client, the hooks' server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen.emit_go_service import FOLDER, HANDWRITTEN_HOOKS
from codegen.go_methods import GoSignature, is_plain, message_literal, z_fields
from codegen.go_source import format_go, go_file
from codegen.header import header
from codegen.lowered import ConversionKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codegen.lowered import Conversion, Method, Schema

# API methods whose arguments Mattermost's client does not send as they are.
_HANDWRITTEN_API = {
    "LoadPluginConfiguration",  # its result is JSON
    "LogDebug",  # values become strings
    "LogInfo",
    "LogWarn",
    "LogError",
    "LogAuditRec",  # made safe for gob
    "LogAuditRecWithLevel",
    "InstallPlugin",  # streams of the broker
    "UploadData",
    "ReceiveSharedChannelAttachmentSyncMsg",
    "PluginHTTP",  # left to Mattermost's client, which knows two ways to do it
}

# Hooks that do more here than to go on to the plugin.
_CALLED_HOOKS = HANDWRITTEN_HOOKS | {"OnActivate", "OnDeactivate"}

# Methods of Mattermost's net/rpc server of the hooks whose reply is not a Z_ struct of their name.
_REPLIES = {"ServeHTTP": "struct{}", "ServeMetrics": "struct{}"}


def emit(schema: Schema) -> dict[str, str]:
    """Return the generated files, path -> text."""
    bodies = {"netrpc_api": _api(schema), "netrpc_hooks": _hooks(schema)}
    return format_go(
        {
            f"{FOLDER}/{stem}_gen.go": go_file(
                "service", "\n\n".join(body), schema.go_packages, header(schema)
            )
            for stem, body in bodies.items()
        }
    )


def _api(schema: Schema) -> Iterator[str]:
    methods = schema.service("API").methods
    if unknown := _HANDWRITTEN_API - {method.go_name for method in methods}:
        raise ValueError(f"plugin.API has no {', '.join(sorted(unknown))} (any more)")
    generated = [method for method in methods if method.go_name not in _HANDWRITTEN_API]
    passed_on = "\n".join(_passed_on(schema, method) for method in generated if is_plain(method))
    yield (
        "// passedOn are the methods of the API that go on to the server as they come.\n"
        f"var passedOn = []onward{{\n{passed_on}\n}}"
    )
    for method in generated:
        if not is_plain(method):
            yield _api_method(schema, method)


def _passed_on(schema: Schema, method: Method) -> str:
    """Return how a method's request and reply become those of Mattermost's RPC, and the other way round."""
    name = method.go_name
    request, response = (schema.message(message).pb_go_name for message in (method.request, method.response))
    arguments = ", ".join(
        f"{z}: in.{field.pb_go_name}"
        for z, field in zip(z_fields(len(method.params)), method.params, strict=True)
    )
    results = [f"out.{z}" for z in z_fields(len(method.results))]
    return (
        f'passOn("{name}",\n'
        f"func({'in' if method.params else '_'} *convert.{request}) *plugin.Z_{name}Args "
        f"{{ return &plugin.Z_{name}Args{{{arguments}}} }},\n"
        f"func({'out' if results else '_'} *plugin.Z_{name}Returns) *convert.{response} "
        f"{{ return {message_literal(response, method.results, results)} }}),"
    )


def _api_method(schema: Schema, method: Method) -> str:
    signature = GoSignature.of(method, schema)
    name = method.go_name
    values = ", ".join(
        f"{field}: {param.name}"
        for field, param in zip(z_fields(len(signature.params)), signature.params, strict=True)
    )
    call = f'a.call("{name}", &plugin.Z_{name}Args{{{values}}}, returns)'
    head = f"func (a *netRPCAPI) {signature.text} {{\nreturns := new(plugin.Z_{name}Returns)\n"
    if not signature.results:
        return f"{head}{call}\n}}"
    results = ", ".join(f"returns.{field}" for field in z_fields(len(signature.results)))
    return f"{head}if !{call} {{\nreturns = new(plugin.Z_{name}Returns)\n}}\nreturn {results}\n}}"


def _hooks(schema: Schema) -> Iterator[str]:
    methods = "".join(
        f"{method.go_name}(args *plugin.Z_{method.go_name}Args, "
        f"returns *{_REPLIES.get(method.go_name, f'plugin.Z_{method.go_name}Returns')}) error\n"
        for method in schema.service("Hooks").methods
        if method.go_name != "Implemented"
    )
    yield (
        "// NetRPCHooks is what Mattermost's net/rpc server of the hooks offers to net/rpc.\n"
        "type NetRPCHooks interface {\n"
        "Implemented(args struct{}, reply *[]string) error\n"
        f"{methods}}}"
    )
    names = [method.go_name for method in schema.service("Hooks").methods if method.go_name != "Implemented"]
    table = "".join(f'"Plugin.{name}": netrpcwire.Of(hooks.{name}),\n' for name in names)
    yield (
        "// netRPCMethods is what is served of hooks, by the names in requests.\n"
        "func netRPCMethods(hooks NetRPCHooks) map[string]netrpcwire.Method {\n"
        "return map[string]netrpcwire.Method{\n"
        '"Plugin.Implemented": netrpcwire.Of(func(_ *struct{}, reply *[]string) error { '
        "return hooks.Implemented(struct{}{}, reply) }),\n"
        f"{table}}}\n}}"
    )
    yield _requests(schema)
    for method in schema.service("Hooks").methods:
        if any(holds_any(schema, field.conversion) for field in method.results):
            yield _safe_hook(method)


def _requests(schema: Schema) -> str:
    entries = ""
    for method in schema.service("Hooks").methods:
        name = method.go_name
        if not is_plain(method) or name in _CALLED_HOOKS:
            continue
        values = [f"in.{z}" for z in z_fields(len(method.params))]
        request = schema.message(method.request).pb_go_name
        entries += (
            f'"{name}": requestOf(func({"in" if values else "_"} *plugin.Z_{name}Args) *convert.{request} '
            f"{{ return {message_literal(request, method.params, values)} }}),\n"
        )
    return (
        "// hookRequests make requests of the arguments of hooks that go on to the plugin as they come.\n"
        f"var hookRequests = map[string]func(args any) convert.Message{{\n{entries}}}"
    )


def _safe_hook(method: Method) -> str:
    """Return the method of our server that keeps what gob refuses out of a reply."""
    name = method.go_name
    return (
        f"func (n *netRPCHooks) {name}(args *plugin.Z_{name}Args, returns *plugin.Z_{name}Returns) error {{\n"
        f"err := n.NetRPCHooks.{name}(args, returns)\nmakeGobSafe(returns)\nreturn err\n}}"
    )


def holds_any(schema: Schema, conversion: Conversion, seen: frozenset[str] = frozenset()) -> bool:
    """Whether there is an interface anywhere in a value."""
    for part in conversion.walk():
        if part.kind is ConversionKind.VALUE:
            return True
        if part.kind is ConversionKind.MESSAGE and part.message not in seen:
            inner = seen | {part.message}
            fields = schema.message(part.message).fields
            if any(holds_any(schema, field.conversion, inner) for field in fields):
                return True
    return False
