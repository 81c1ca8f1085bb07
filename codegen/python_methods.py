"""What a method is in Python: parameters, result, signature, whether this release can do it."""

from __future__ import annotations

from codegen.lowered import ConversionKind, Field, Method, MethodKind, Role, Schema
from codegen.python_types import annotation, parameter_annotation

MODULES = "mattermost_plugin._gen.methods"

# Methods whose request or response is special, but carried out by the same codecs as all others.
_PLAIN_SPECIAL = {"OnActivate", "LoadPluginConfiguration", "RowsNext"}

# What authors write instead of these methods.
_HTTP = {
    "ServeHTTP": "assign an ASGI or WSGI application, or a Router, to the class attribute `http`",
    "ServeMetrics": "assign an ASGI or WSGI application to the class attribute `metrics`",
    "PluginHTTP": "ask other plugins with httpx and mattermost_plugin.http.PluginTransport",
}


def module_of(schema: Schema, method: Method) -> str:
    """Return the name of the module in `_gen/methods` that holds a method's codec."""
    return schema.message(method.request).module


def unavailable(method: Method) -> str:
    """Return a sentence why a method cannot be overridden or called, or nothing."""
    if method.go_name in _HTTP:
        return f"{method.python_name}() is not for plugins in Python: {_HTTP[method.go_name]}"
    if method.kind is not MethodKind.UNARY:
        return f"{method.python_name}() moves its data as a stream, which this release does not do yet"
    if method.special and method.go_name not in _PLAIN_SPECIAL:
        raise ValueError(
            f"{method.path} is special in a way the Python emitters do not know: {method.special}"
        )
    return ""


def grpc_kind(method: Method) -> str:
    """Return the kind as gRPC calls it."""
    return {
        MethodKind.UNARY: "unary_unary",
        MethodKind.CLIENT_STREAM: "stream_unary",
        MethodKind.SERVER_STREAM: "unary_stream",
        MethodKind.BIDI_STREAM: "stream_stream",
    }[method.kind]


def is_hook(method: Method) -> bool:
    return method.service == "Hooks"


def error_is_value(method: Method) -> bool:
    """Whether an error comes beside the other results instead of in their place."""
    return method.go_name == "RowsNext"


def request_fields(schema: Schema, method: Method) -> list[Field]:
    """Return the fields of the request in the order of the codec's arguments."""
    extra = [field for field in schema.message(method.request).fields if field.role is Role.EXTRA]
    return [*method.params, *extra]


def result_fields(method: Method) -> list[Field]:
    """Return the fields whose values a call returns."""
    found = list(method.values)
    if error_is_value(method) and method.error is not None:
        found.append(method.error)
    return found


def result_annotation(method: Method) -> str:
    """Return the annotation of what a method returns, without `Reject`."""
    if method.go_name == "LoadPluginConfiguration":
        return "dict[str, Any]"
    found = [value_annotation(method, field) for field in result_fields(method)]
    if not found:
        return "None"
    return found[0] if len(found) == 1 else f"tuple[{', '.join(found)}]"


def value_annotation(method: Method, field: Field) -> str:
    """Return the annotation of one result; a hook may leave out a list or dict."""
    text = annotation(field.conversion)
    if is_hook(method) and field.conversion.kind in {ConversionKind.LIST, ConversionKind.MAP}:
        text = text if text.endswith("| None") else f"{text} | None"
    return text


def can_reject(method: Method) -> bool:
    """Whether a hook accepts a `Reject`."""
    return method.rejection_reason is not None or method.go_name == "ConfigurationWillBeSaved"


def hook_annotation(method: Method) -> str:
    """Return the annotation of what a hook may return."""
    result = result_annotation(method)
    if not can_reject(method):
        return result
    if result == "None":
        return "Reject | None"
    return f"{result.removesuffix(' | None')} | Reject | None"


def parameters(method: Method) -> list[tuple[str, str]]:
    """Return the parameters an author sees, with their annotations; a variadic one begins with `*`."""
    found = []
    for field in method.params:
        if field.variadic:
            elem = field.conversion.elem
            found.append((f"*{field.python_name}", "Any" if elem is None else annotation(elem)))
        elif is_hook(method):
            found.append((field.python_name, annotation(field.conversion)))
        else:
            found.append((field.python_name, parameter_annotation(field.conversion)))
    return found


def signature(method: Method) -> str:
    """Return the signature as error messages show it."""
    shown = ", ".join(["self", *(f"{name}: {text}" for name, text in parameters(method))])
    result = hook_annotation(method) if is_hook(method) else result_annotation(method)
    return f"{method.python_name}({shown}) -> {result}"


def stream_parameter(method: Method) -> str | None:
    """Return the parameter whose content travels as a stream."""
    if method.request_stream is None or method.go_name in _HTTP:
        return None
    return method.request_stream.python_name


def api_parameters(method: Method) -> list[tuple[str, str]]:
    """Return the parameters of an API method, a streamed one at the place it has in Go."""
    found = parameters(method)
    stream = stream_parameter(method)
    if stream is not None and method.request_stream is not None:
        go_names = [part.split()[0] for part in method.go_signature.partition("(")[2].split(",")]
        found.insert(go_names.index(method.request_stream.go_name), (stream, "BinaryIO"))
    return found


def api_annotation(method: Method) -> str:
    """Return the annotation of what an API method returns."""
    if method.response_stream is not None and method.response_stream.go_type == "[]byte":
        return "bytes"
    return result_annotation(method)
