"""Go text about the contract's methods that several emitters need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from codegen.go_source import parameter_names
from codegen.lowered import Method, MethodKind, Schema

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codegen.lowered import Field


@dataclass(frozen=True, slots=True)
class GoParam:
    """A parameter as Go declares it, under a name that is safe in generated bodies."""

    name: str
    type: str

    @property
    def argument(self) -> str:
        """How the parameter is passed on."""
        return f"{self.name}..." if self.type.startswith("...") else self.name


@dataclass(frozen=True, slots=True)
class GoSignature:
    """The Go signature of a method, taken apart."""

    name: str
    params: tuple[GoParam, ...]
    results: tuple[str, ...]

    @classmethod
    def of(cls, method: Method, schema: Schema) -> GoSignature:
        """Take a method's signature apart. Types contain neither commas nor spaces nor parentheses."""
        name, rest = method.go_signature.split("(", 1)
        listed, results = rest.split(")", 1)
        params = [part.split() for part in listed.split(",") if part.strip()]
        safe = parameter_names([part[0] for part in params], schema.go_packages)
        return cls(
            name,
            tuple(GoParam(new, part[-1]) for new, part in zip(safe, params, strict=True)),
            tuple(part.split()[-1] for part in results.strip().strip("()").split(",") if part.strip()),
        )

    @property
    def text(self) -> str:
        """The signature as Go writes it."""
        return self._declared(self.name, self.results)

    def with_error(self, name: str) -> str:
        """Return the signature under another name and with an error as last result."""
        return self._declared(name, (*self.results, "error"))

    def _declared(self, name: str, results: Sequence[str]) -> str:
        declared = f"({', '.join(results)})" if len(results) > 1 else "".join(results)
        return f"{name}({self.parameter_list}) {declared}".rstrip()

    @property
    def parameter_list(self) -> str:
        """The parameters as Go declares them."""
        return ", ".join(f"{param.name} {param.type}" for param in self.params)


def is_plain(method: Method) -> bool:
    """Whether a method's gRPC form is its Go signature, so that its body can be generated."""
    return method.kind is MethodKind.UNARY and not method.special


def zero(go_type: str) -> str:
    """Return Go's zero value of a type the contract's methods return."""
    if go_type.startswith(("*", "[]", "map[")) or go_type in {"any", "error"}:
        return "nil"
    match go_type:
        case "string":
            return '""'
        case "bool":
            return "false"
        case "int" | "int64":
            return "0"
    return f"{go_type}{{}}"


def message_literal(name: str, fields: Sequence[Field], values: Sequence[str]) -> str:
    """Return the Go expression for a request or response with the given values in its fields."""
    lines = "".join(f"{field.pb_go_name}: {value},\n" for field, value in zip(fields, values, strict=True))
    return f"&convert.{name}{{{lines and chr(10)}{lines}}}"


def service_description(schema: Schema, service: str, receiver: str, *, prefix: str = "") -> str:
    """Return the grpc.ServiceDesc of a service whose methods a Go type has.

    Args:
        schema: The contract.
        service: Name of the service.
        receiver: The Go type.
        prefix: How package service is called where this stands: "" within it.
    """
    methods = schema.service(service).methods
    package = methods[0].path.strip("/").rpartition(".")[0]
    unary, streams = "", ""
    for method in methods:
        name = method.go_name
        call = f'("{name}", (*{receiver}).{name}),\n'
        match method.kind:
            case MethodKind.UNARY:
                unary += f"{prefix}Unary{call}"
            case MethodKind.SERVER_STREAM:
                streams += f"{prefix}ServerStream{call}"
            case MethodKind.CLIENT_STREAM:
                streams += f"{prefix}ClientStream{call}"
            case MethodKind.BIDI_STREAM:
                streams += f"{prefix}BidiStream{call}"
    parts = f"Methods: []grpc.MethodDesc{{\n{unary}}},\n"
    if streams:
        parts += f"Streams: []grpc.StreamDesc{{\n{streams}}},\n"
    stem = next(file.path for file in schema.files if service in file.services)
    variable = f"{receiver.removesuffix('Server')}Service"
    return (
        f"// {variable} describes the {service} service.\n"
        f"var {variable} = grpc.ServiceDesc{{\n"
        f'ServiceName: "{package}.{service}",\nHandlerType: (*any)(nil),\n{parts}Metadata: "{stem}",\n}}'
    )


def z_fields(count: int) -> Sequence[str]:
    """Return the field names of Mattermost's Z_ structs: A, B, ..."""
    return [chr(ord("A") + index) for index in range(count)]
