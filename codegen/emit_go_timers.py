"""Emits go/internal/timed: Mattermost's interfaces over themselves, with every call measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen.emit_go_service import WITHOUT_RPC_ERROR
from codegen.go_methods import GoSignature
from codegen.go_source import format_go, go_file
from codegen.header import header

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from codegen.lowered import Schema

FOLDER = "go/internal/timed"


def emit(schema: Schema) -> dict[str, str]:
    """Return the generated files, path -> text."""
    bodies = {"api": _api(schema), "hooks": _hooks(schema)}
    return format_go(
        {
            f"{FOLDER}/{stem}_gen.go": go_file("timed", "\n\n".join(body), schema.go_packages, header(schema))
            for stem, body in bodies.items()
        }
    )


def _api(schema: Schema) -> Iterator[str]:
    for method in schema.service("API").methods:
        signature = GoSignature.of(method, schema)
        yield _timed("api", signature.text, method.go_name, signature, signature.results)


def _hooks(schema: Schema) -> Iterator[str]:
    for method in schema.service("Hooks").methods:
        signature = GoSignature.of(method, schema)
        yield _timed("hooks", signature.text, method.go_name, signature, signature.results)
        if method.go_name not in WITHOUT_RPC_ERROR:
            name = f"{method.go_name}WithRPCErr"
            yield _timed("hooks", signature.with_error(name), name, signature, (*signature.results, "error"))


def _timed(receiver: str, declared: str, name: str, signature: GoSignature, results: Sequence[str]) -> str:
    call = f"t.inner.{name}({', '.join(param.argument for param in signature.params)})"
    begin = f"func (t *{receiver}) {declared} {{\nstart := time.Now()\n"
    if not results:
        return f'{begin}{call}\nt.observe("{name}", true, start)\n}}'
    names = [f"result{index or ''}" for index in range(len(results))]
    errors = [
        f"{value} == nil"
        for value, kind in zip(names, results, strict=True)
        if kind in {"error", "*model.AppError"}
    ]
    return (
        f"{begin}{', '.join(names)} := {call}\n"
        f't.observe("{name}", {" && ".join(errors) or "true"}, start)\n'
        f"return {', '.join(names)}\n}}"
    )
