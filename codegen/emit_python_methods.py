"""Emit `mattermost_plugin/_gen`: the tables of methods, and `methods/` with their codecs."""

from __future__ import annotations

from codegen import header
from codegen.lowered import ConversionKind, Field, Method, Schema, Stream
from codegen.python_codecs import Names, decode_field, encode_field, needs_presence
from codegen.python_descriptors import group_keys, groups, method_file
from codegen.python_format import format_python
from codegen.python_methods import (
    MODULES,
    can_reject,
    check_streams,
    error_is_value,
    grpc_kind,
    is_hook,
    module_of,
    parameters,
    request_fields,
    request_message,
    response_message,
    result_fields,
    signature,
    unavailable,
    value_annotation,
)
from codegen.python_text import imports
from codegen.python_types import ModelIndex, annotation

FOLDER = "src/mattermost_plugin/_gen"

_TABLES = {
    "Hooks": ("hook_methods", "HOOKS"),
    "API": ("api_methods", "API"),
    "Driver": ("driver_methods", "DRIVER"),
}

# Variables of the generated functions, which a parameter must not hide.
_LOCALS = {"m", "has", "x", "v", "s", "e", "k", "t", "add", "raw", "error", "result"}


def emit(schema: Schema) -> dict[str, str]:
    """Return the tables of methods and the modules with their codecs."""
    head = header.header(schema, comment="#")
    keys = group_keys(groups(schema))
    index = ModelIndex(schema)
    files = {f"{FOLDER}/methods/__init__.py": head + '"""Codecs of the methods, by what they deal with."""\n'}
    modules: dict[str, list[Method]] = {}
    for service in schema.services:
        file, table = _TABLES[service.name]
        files[f"{FOLDER}/{file}.py"] = head + _table(schema, table, service.methods)
        for method in service.methods:
            if not unavailable(method):
                modules.setdefault(module_of(schema, method), []).append(method)
    for module, methods in modules.items():
        files[f"{FOLDER}/methods/{module}.py"] = head + _module(schema, methods, keys, index)
    return format_python(files)


def _table(schema: Schema, table: str, methods: tuple[Method, ...]) -> str:
    lines = [
        f'"""The methods of {methods[0].service}. Their codecs are imported when they are first used."""',
        "from __future__ import annotations",
        "",
        "from mattermost_plugin._runtime.methods import Method",
        "",
    ]
    listed = []
    for method in methods:
        name = method.python_name.upper()
        lines.append(f"{name} = {_entry(schema, method)}")
        if method.go_name != "Implemented":
            listed.append(f"        {name},")
    return "\n".join(
        [
            *lines,
            "",
            "# By Python name, in Go's order.",
            f"{table}: dict[str, Method] = {{",
            "    method.name: method",
            "    for method in (",
            *listed,
            "    )",
            "}",
            "",
        ]
    )


def _entry(schema: Schema, method: Method) -> str:
    names = tuple(name.lstrip("*") for name, _ in parameters(method))
    arguments = [
        repr(method.service),
        repr(method.go_name),
        repr(method.python_name),
        repr(names),
        f"signature={signature(method)!r}",
    ]
    if method.minimum_version:
        arguments.append(f"minimum_version={method.minimum_version!r}")
    if grpc_kind(method) != "unary_unary":
        arguments.append(f"kind={grpc_kind(method)!r}")
    if is_hook(method) and can_reject(method):
        arguments.append("can_reject=True")
    if unavailable(method):
        arguments.append(f"unavailable={unavailable(method)!r}")
    else:
        arguments.append(f"module={f'{MODULES}.{module_of(schema, method)}'!r}")
    return f"Method({', '.join(arguments)})"


def _module(schema: Schema, methods: list[Method], keys: dict[str, str], index: ModelIndex) -> str:
    names = Names(schema, "")
    builders = [line for method in methods for line in ("", *_builder(names, method, keys))]
    annotations = [
        text
        for method in methods
        for text in (
            *(annotation(field.conversion) for field in request_fields(schema, method)),
            *(value_annotation(method, field) for field in result_fields(method)),
        )
    ]
    checking = index.imports(annotations)
    checking.pop("typing", None)
    core: dict[str, set[str]] = {
        "mattermost_plugin._codec.messages": {"load"},
        "mattermost_plugin._codec.problems": {"ENCODING_ERRORS", "explain_arguments"},
        "mattermost_plugin._runtime.methods": {"Codec"},
    }
    for source, functions in names.special_imports().items():
        core.setdefault(source, set()).update(functions)
    for name in names.linked:
        target = names.messages[name]
        source = f"mattermost_plugin._gen.codecs.{target.module}"
        core.setdefault(source, set()).update(
            f"{direction}_{target.function_name}" for direction in names.directions[name]
        )
    if names.enums:
        core["mattermost_plugin._model"] = {"known"}
    for enum in names.enums:
        core.setdefault(index.modules[enum], set()).add(enum)
    if any(method.rejection_reason for method in methods):
        core["mattermost_plugin.reject"] = {"Reject"}
    # What the code itself imports is not imported once more for the annotations.
    checking = {
        source: left for source, found in checking.items() if (left := found - core.get(source, set()))
    }
    typing = {"Any", "TYPE_CHECKING"} if checking else {"Any"}
    service = methods[0].service
    return "\n".join(
        [
            f'"""Codecs of methods of {service} that deal with the same types; each is made on first use."""',
            "from __future__ import annotations",
            "",
            *imports({"typing": typing}),
            "",
            *imports(core),
            "",
            *(["if TYPE_CHECKING:", *imports(checking, "    ")] if checking else []),
            "",
            *(f"_{enum} = known({enum})" for enum in sorted(names.enums)),
            *builders,
            "",
            "_BUILDERS = {",
            *(f"    {method.python_name!r}: _{method.python_name}," for method in methods),
            "}",
            "def __getattr__(name: str) -> Codec:",
            "    builder = _BUILDERS.get(name)",
            "    if builder is None:",
            '        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")',
            "    codec = globals()[name] = builder()",
            "    return codec",
            "",
        ]
    )


def _builder(names: Names, method: Method, keys: dict[str, str]) -> list[str]:
    schema = names.schema
    check_streams(schema, method)
    messages = [request_message(schema, method), response_message(schema, method)]
    file = f"{method.service}.{method.go_name}"
    needed, descriptor = method_file(file, messages, keys)
    fields = request_fields(schema, method)
    clash = {field.python_name for field in fields} & (_LOCALS - {"error", "result"})
    if clash:
        raise ValueError(f"{method.path}: parameters named as variables of the codecs: {sorted(clash)}")
    functions = ["encode_request", "decode_request", "encode_response", "decode_response"]
    has_error = method.error is not None and not error_is_value(method)
    functions.append("encode_error" if has_error else "None")
    lines = [
        f"def _{method.python_name}() -> Codec:",
        f"    request, response = load({file!r}, {tuple(needed)!r}, {descriptor!r})",
        "",
        *_encode_request(names, method, fields),
        "",
        *_decode_request(names, method, fields),
        "",
        *_encode_response(names, method),
        "",
        *_decode_response(names, method),
    ]
    if has_error:
        lines += ["", *_encode_error(names, method)]
    return [*lines, "", f"    return Codec({', '.join(functions)})"]


def _packed(names: Names, stream: Stream | None) -> str:
    """Return the source of a message's bytes; in a stream it is the head inside the message."""
    packed = "m.SerializeToString()"
    return packed if stream is None else f"{names.use('pack_head')}({packed})"


def _content(names: Names, stream: Stream | None, raw: str) -> str:
    """Return the source of the bytes that a message is made of; the reverse of `_packed`."""
    return raw if stream is None else f"{names.use('head_of')}({raw})"


def _encode_request(names: Names, method: Method, fields: list[Field]) -> list[str]:
    shown = ", ".join(f"{field.python_name}: {annotation(field.conversion)}" for field in fields)
    body = []
    for field in fields:
        body += encode_field(names, field, field.python_name, f"{method.python_name}(): {field.python_name}")
    expected = {field.python_name: annotation(field.conversion) for field in fields}
    return [
        f"    def encode_request({shown}) -> bytes:",
        "        m = request()",
        *_guarded(body, method, [field.python_name for field in fields], expected),
        f"        return {_packed(names, method.request_stream)}",
    ]


def _guarded(body: list[str], method: Method, values: list[str], expected: dict[str, str]) -> list[str]:
    """Wrap statements so that what they raise names the argument at fault."""
    if not body:
        return []
    name, given = method.python_name, f"({_tuple(values)})" if len(values) > 1 else _tuple(values)
    return [
        *(["        v: Any"] if any(line.strip().startswith("v = ") for line in body) else []),
        "        try:",
        *(f"            {line}" for line in body),
        "        except ENCODING_ERRORS as error:",
        f"            raise explain_arguments(error, {name!r}, {given}, {expected!r}, m) from None",
    ]


def _decode_request(names: Names, method: Method, fields: list[Field]) -> list[str]:
    lines = ["    def decode_request(raw: bytes) -> tuple[Any, ...]:"]
    parsed = f"request.FromString({_content(names, method.request_stream, 'raw')})"
    if not fields:
        return [*lines, f"        {parsed}", "        return ()"]
    lines.append(f"        m = {parsed}")
    return [*lines, *_read(names, fields), f"        return {_tuple([_local(field) for field in fields])}"]


def _read(names: Names, fields: list[Field], *, has: bool = False) -> list[str]:
    """Return statements that put the values of fields into variables named after them."""
    lines = []
    if not has and any(needs_presence(field) for field in fields):
        lines.append("        has = m.HasField")
    for field in fields:
        before, value = decode_field(names, field)
        lines += [f"        {line}" for line in before]
        lines.append(f"        {_local(field)} = {value}")
    return lines


def _tuple(values: list[str]) -> str:
    return f"({values[0]},)" if len(values) == 1 else ", ".join(values)


def _local(field: Field) -> str:
    return f"{field.python_name}_" if field.python_name in _LOCALS else field.python_name


def _encode_response(names: Names, method: Method) -> list[str]:
    fields = result_fields(method)
    lines = ["    def encode_response(result: Any) -> bytes:", "        m = response()"]
    body: list[str] = []
    if not fields:
        body = _only_rejection(names) if method.rejection_reason else ["if result is not None:", *_not_none()]
    elif len(fields) == 1:
        body = _store_result(names, method, fields[0], "result")
    else:
        body.append(f"{', '.join(_local(field) for field in fields)} = result")
        for field in fields:
            body += _store_result(names, method, field, _local(field))
    if method.rejection_reason is not None and fields:
        body = [
            "if isinstance(result, Reject):",
            "    m.rejection_reason = result.reason",
            "else:",
            *(f"    {line}" for line in body),
        ]
    expected = {"result": _expected(method)}
    return [
        *lines,
        *_guarded(body, method, ["result"], expected),
        f"        return {_packed(names, method.response_stream)}",
    ]


def _expected(method: Method) -> str:
    found = [value_annotation(method, field) for field in result_fields(method)]
    if not found:
        return "None"
    return found[0] if len(found) == 1 else "Any"


def _store_result(names: Names, method: Method, field: Field, value: str) -> list[str]:
    stored = encode_field(names, field, value, f"{method.python_name}(): result")
    optional = is_hook(method) and field.conversion.kind in {ConversionKind.LIST, ConversionKind.MAP}
    if field.conversion.kind in {ConversionKind.LIST, ConversionKind.MAP} and not optional:
        function = "checked_list" if field.conversion.kind is ConversionKind.LIST else "checked_dict"
        if not field.conversion.nullable:
            stored = [f"{names.use(function)}({value})", *stored]
    return stored


def _only_rejection(names: Names) -> list[str]:
    del names
    return [
        "if isinstance(result, Reject):",
        "    m.rejection_reason = result.reason",
        "elif result is not None:",
        '    raise TypeError(f"expected Reject or None, got {type(result).__name__}")',
    ]


def _not_none() -> list[str]:
    return ['    raise TypeError(f"expected None, got {type(result).__name__}")']


def _decode_response(names: Names, method: Method) -> list[str]:
    fields = result_fields(method)
    lines = ["    def decode_response(raw: bytes) -> Any:"]
    reads_error = method.error is not None and not error_is_value(method)
    parsed = f"response.FromString({_content(names, method.response_stream, 'raw')})"
    if not fields and not reads_error and method.rejection_reason is None:
        return [*lines, f"        {parsed}"]
    lines.append(f"        m = {parsed}")
    if reads_error and method.error is not None:
        single = decode_field(names, method.error)[1].partition(" if ")[0]
        has = ["        has = m.HasField"] if any(needs_presence(field) for field in fields) else []
        lines += [*has, '        if m.HasField("error"):', f"            raise {single}"]
    if method.rejection_reason is not None:
        lines += ["        if m.rejection_reason:", "            return Reject(m.rejection_reason)"]
    if not fields:
        return [*lines, "        return None"]
    lines += _read(names, fields, has=reads_error)
    if len(fields) == 1:
        *before, last = lines
        return [*before, f"        return {last.partition(' = ')[2]}"]
    return [*lines, f"        return {', '.join(_local(field) for field in fields)}"]


def _encode_error(names: Names, method: Method) -> list[str]:
    lines = ["    def encode_error(error: BaseException) -> bytes:", "        m = response()"]
    if method.error is not None and method.error.conversion.kind is ConversionKind.MESSAGE:
        wrapped = f"{names.use('app_error_of')}(error, {method.go_name!r})"
        lines += [
            "        m.error.SetInParent()",
            f"        {names.use('encode_app_error')}({wrapped}, m.error)",
        ]
    else:
        lines.append(f"        {names.use('put_error')}(error, m.error)")
    return [*lines, f"        return {_packed(names, method.response_stream)}"]
