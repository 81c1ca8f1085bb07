"""Makes services, methods and their messages out of the contract's interfaces."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from codegen.conversions import make_field
from codegen.go_types import parse, render, signature
from codegen.lowered import (
    Cardinality,
    Conversion,
    ConversionKind,
    Field,
    Message,
    MessageKind,
    Method,
    MethodKind,
    Role,
    Service,
    Stream,
)
from codegen.names import python_identifier

if TYPE_CHECKING:
    from collections.abc import Iterator

    from codegen import model as extracted
    from codegen.conversions import Conversions
    from codegen.names import Namer
    from codegen.overrides import FieldOverride, MethodOverride, Overrides

PACKAGE = "mattermost.plugin.v1"

# Parameters and results that nearly every method has tell nothing about what it deals with.
_UBIQUITOUS = {"Context", "AppError", "Error"}


@dataclasses.dataclass(frozen=True, slots=True)
class LoweredService:
    """A service and the messages of its methods."""

    service: Service
    messages: tuple[Message, ...]


class MethodLowering:
    """Lowers the methods of one interface."""

    def __init__(
        self,
        interface: extracted.Interface,
        conversions: Conversions,
        namer: Namer,
        overrides: Overrides,
        modules: dict[str, str],
    ) -> None:
        self._interface = interface
        self._conversions = conversions
        self._namer = namer
        self._overrides = overrides
        self._modules = modules  # message -> stem of the file that declares it
        self._messages: list[Message] = []

    def lower(self) -> LoweredService:
        """Return the service and its messages."""
        methods = tuple(self._method(method) for method in self._interface.methods)
        service = Service(self._interface.name, self._interface.doc, methods)
        return LoweredService(service, tuple(self._messages))

    def _method(self, method: extracted.Method) -> Method:
        override = self._overrides.method(f"{self._interface.name}.{method.name}")
        params = self._params(method, override)
        results = self._results(method, override)
        extra = self._extra(override.request_extra, Role.EXTRA)
        stem = self._stem((*params, *results))
        request, request_stream = self._direction(
            method, "Request", (*params, *extra), stem, self._request_stream(method, override)
        )
        response, response_stream = self._direction(
            method, "Response", results, stem, self._response_stream(method, override)
        )
        return Method(
            go_name=method.name,
            python_name=python_identifier(self._namer.snake(method.name)),
            service=self._interface.name,
            path=f"/{PACKAGE}.{self._interface.name}/{method.name}",
            kind=_kind(request_stream, response_stream),
            request=request,
            response=response,
            params=params,
            results=results,
            go_signature=signature(method),
            minimum_version=method.minimum_server_version,
            doc=method.doc,
            special=override.special,
            unchanged=override.unchanged,
            policy=bool(override.policy) or any(item.role is Role.REJECTION_REASON for item in results),
            request_stream=request_stream,
            response_stream=response_stream,
        )

    def _params(self, method: extracted.Method, override: MethodOverride) -> tuple[Field, ...]:
        if override.request is not None:
            return self._extra(override.request, Role.PARAM)
        streamed = {override.request_stream, override.response_stream}
        fields = []
        for index, param in enumerate(method.params):
            if param.name in streamed:
                continue
            conversion = self._conversions.of(param.type, nullable=self._nullable(method, param.name))
            field = make_field(self._namer.snake(param.name), conversion, go_name=param.name)
            variadic = method.variadic and index == len(method.params) - 1
            fields.append(dataclasses.replace(field, role=Role.PARAM, variadic=variadic))
        return tuple(fields)

    def _nullable(self, method: extracted.Method, name: str) -> bool:
        return self._overrides.nullable(f"{self._interface.name}.{method.name}.{name}")

    def _results(self, method: extracted.Method, override: MethodOverride) -> tuple[Field, ...]:
        if override.response is not None:
            return tuple(
                dataclasses.replace(field, role=Role.ERROR) if field.proto_name == "error" else field
                for field in self._extra(override.response, Role.RESULT)
            )
        fields: list[Field] = []
        unnamed = 0
        for index, result in enumerate(method.results):
            role = self._role(method, index)
            if role is Role.RESULT and not result.name:
                unnamed += 1
                name = "result" if unnamed == 1 else f"result_{unnamed}"
                if name == override.response_stream:
                    continue
            elif role is Role.RESULT:
                name = self._namer.snake(result.name)
            else:
                name = role.value
            fields.append(
                dataclasses.replace(
                    make_field(
                        name, self._result_conversion(method, name, result, role), go_name=result.name
                    ),
                    role=role,
                )
            )
        return tuple(fields)

    def _result_conversion(
        self, method: extracted.Method, name: str, result: extracted.Param, role: Role
    ) -> Conversion:
        """A hook may return nil to say "no change"; an API method that succeeds returns something."""
        nullable = self._nullable(method, name) or role is Role.ERROR
        if self._interface.name == "Hooks" and render(result.type).startswith("*"):
            nullable = True
        return self._conversions.of(result.type, nullable=nullable)

    def _role(self, method: extracted.Method, index: int) -> Role:
        text = render(method.results[index].type)
        last = index == len(method.results) - 1
        if last and text in {"error", "*model.AppError"}:
            return Role.ERROR
        may_reject = index > 0 or "Will" in self._namer.split(method.name)
        if self._interface.name == "Hooks" and last and text == "string" and may_reject:
            return Role.REJECTION_REASON
        return Role.RESULT

    def _extra(self, items: tuple[FieldOverride, ...], role: Role) -> tuple[Field, ...]:
        return tuple(
            dataclasses.replace(
                make_field(item.name, self._conversions.of(parse(item.type)), doc=item.doc), role=role
            )
            for item in items
        )

    def _request_stream(self, method: extracted.Method, override: MethodOverride) -> _StreamSource | None:
        if not override.request_stream:
            return None
        param = next(item for item in method.params if item.name == override.request_stream)
        return _StreamSource(param.name, render(param.type).removeprefix("*"), head_last=False)

    def _response_stream(self, method: extracted.Method, override: MethodOverride) -> _StreamSource | None:
        if not override.response_stream:
            return None
        for item in method.params:
            if item.name == override.response_stream:
                return _StreamSource(item.name, render(item.type), head_last=override.results_last)
        first = method.results[0]
        return _StreamSource(
            first.name, render(first.type).removeprefix("*"), head_last=override.results_last
        )

    def _direction(
        self,
        method: extracted.Method,
        suffix: str,
        fields: tuple[Field, ...],
        stem: str,
        stream: _StreamSource | None,
    ) -> tuple[str, Stream | None]:
        name = method.name + suffix
        kind = MessageKind.REQUEST if suffix == "Request" else MessageKind.RESPONSE
        if stream is None:
            self._messages.append(Message(name, kind, file="", module=stem, fields=fields))
            return name, None
        head = f"{name}Head"
        self._messages.append(Message(head, MessageKind.STREAM_PART, file="", module=stem, fields=fields))
        head_conversion = Conversion(ConversionKind.MESSAGE, "", head, "", message=head)
        chunk_conversion = self._conversions.of(parse("[]byte"))
        parts = (
            Field("head", 0, head_conversion, Cardinality.SINGULAR, "", "", role=Role.HEAD, oneof="part"),
            Field("chunk", 0, chunk_conversion, Cardinality.SINGULAR, "", "", role=Role.CHUNK, oneof="part"),
        )
        order = "ends" if stream.head_last else "begins"
        doc = f"One part of a stream that {order} with the head; all others are chunks."
        self._messages.append(Message(name, kind, file="", module=stem, fields=parts, doc=doc))
        python_name = python_identifier(self._namer.snake(stream.go_name)) if stream.go_name else "result"
        return name, Stream(name, head, stream.head_last, stream.go_name, stream.go_type, python_name)

    def _stem(self, fields: tuple[Field, ...]) -> str:
        """Return the file for a method's messages, so that using it loads only what it deals with."""
        service = self._interface.name.lower()
        if service == "driver":
            return service
        for name in (name for field in fields for name in _types(field.conversion)):
            if name not in _UBIQUITOUS:
                return f"{service}_{self._modules.get(name, 'scalar')}"
        return f"{service}_scalar"


@dataclasses.dataclass(frozen=True, slots=True)
class _StreamSource:
    go_name: str
    go_type: str
    head_last: bool


def _kind(request: Stream | None, response: Stream | None) -> MethodKind:
    if request is not None:
        return MethodKind.CLIENT_STREAM if response is None else MethodKind.BIDI_STREAM
    return MethodKind.UNARY if response is None else MethodKind.SERVER_STREAM


def _types(conversion: Conversion) -> Iterator[str]:
    for item in conversion.walk():
        if item.kind is ConversionKind.MESSAGE:
            yield item.message
        elif item.kind is ConversionKind.VALUE:
            yield "Value"
