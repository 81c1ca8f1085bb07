"""What a method is in Python: parameters, result, signature, whether this release can do it."""

from __future__ import annotations

from codegen.lowered import ConversionKind, Field, Message, Method, MethodKind, Role, Schema, Stream
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
    if method.special and method.kind is MethodKind.UNARY and method.go_name not in _PLAIN_SPECIAL:
        raise ValueError(
            f"{method.path} is special in a way the Python emitters do not know: {method.special}"
        )
    return ""


# What the form of a method that returns an open file, instead of its content, is called.
_OPENING = {"GetFile": "open_file", "ReadFile": "open_path"}


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


def check_streams(schema: Schema, method: Method) -> None:
    """See to it that a method's streams are what `mattermost_plugin._codec.parts` reads and writes."""
    for stream in (method.request_stream, method.response_stream):
        if stream is not None:
            numbers = {field.role: field.number for field in schema.message(stream.message).fields}
            if numbers != {Role.HEAD: 1, Role.CHUNK: 2}:
                raise ValueError(
                    f"{method.path}: the parts of {stream.message} have other numbers: {numbers}"
                )
    last = [name for name, _ in parameters(method)][-len(streamed_parameters(method)) :]
    if is_hook(method) and [stream.python_name for stream in streamed_parameters(method)] not in ([], last):
        raise ValueError(f"{method.path}: the runtime hands a hook its files after all other arguments")


def request_message(schema: Schema, method: Method) -> Message:
    """Return the message with the plain arguments: the request, or the head of a request that streams."""
    return schema.message(method.request_stream.head if method.request_stream else method.request)


def response_message(schema: Schema, method: Method) -> Message:
    """Return the message with the plain results: the response, or the head of a response that streams."""
    return schema.message(method.response_stream.head if method.response_stream else method.response)


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


def parameters(
    method: Method, content: str = "Content", reader: str = "BinaryIO", writer: str = "BinaryIO"
) -> list[tuple[str, str]]:
    """Return the parameters an author sees, with their annotations; a variadic one begins with `*`.

    Args:
        method: The method.
        content: Annotation of what an API method sends as a stream.
        reader: Annotation of the parameter by which a hook reads a stream.
        writer: Annotation of the parameter by which a hook writes a stream.
    """
    found = []
    for field in method.params:
        if field.variadic:
            elem = field.conversion.elem
            found.append((f"*{field.python_name}", "Any" if elem is None else annotation(elem)))
        elif is_hook(method):
            found.append((field.python_name, annotation(field.conversion)))
        else:
            found.append((field.python_name, parameter_annotation(field.conversion)))
    # A streamed one stands where it stands in Go.
    kinds = (reader, writer) if is_hook(method) else (content, "")
    for stream, kind in zip(streamed_parameters(method), kinds, strict=False):
        found.insert(_go_position(method, stream.go_name), (stream.python_name, kind))
    return found


def _go_position(method: Method, go_name: str) -> int:
    names = [part.split()[0] for part in method.go_signature.partition("(")[2].split(",")]
    return names.index(go_name)


def signature(method: Method) -> str:
    """Return the signature as error messages show it."""
    shown = ", ".join(["self", *(f"{name}: {text}" for name, text in parameters(method))])
    result = hook_annotation(method) if is_hook(method) else api_annotation(method)
    return f"{method.python_name}({shown}) -> {result}"


def opening_signature(method: Method) -> str:
    """Return the signature of the form of a method that returns an open file; empty: there is none."""
    name = opening_name(method)
    return (
        f"{name}{signature(method).removeprefix(method.python_name).removesuffix('bytes')}BinaryIO"
        if name
        else ""
    )


def streamed_parameters(method: Method) -> list[Stream]:
    """Return the parameters whose content travels as a stream: what is read, what is written."""
    if method.go_name in _HTTP:
        return []
    return [
        stream
        for stream in (method.request_stream, method.response_stream)
        if stream is not None and stream.go_name and not returns_content(method)
    ]


def returns_content(method: Method) -> bool:
    """Whether an API method returns the content of a stream."""
    return method.response_stream is not None and method.response_stream.go_type == "[]byte"


def opening_name(method: Method) -> str:
    """Return the name of the form of a method that returns its content as an open file; empty: none."""
    if not returns_content(method):
        return ""
    return _OPENING.get(method.go_name, f"open_{method.python_name}")


def api_annotation(method: Method) -> str:
    """Return the annotation of what an API method returns."""
    return "bytes" if returns_content(method) else result_annotation(method)
