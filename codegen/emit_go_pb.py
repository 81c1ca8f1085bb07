"""Emits the Go stubs of the .proto files, by protoc-gen-go and protoc-gen-go-grpc."""

from __future__ import annotations

from typing import TYPE_CHECKING

from codegen import emit_proto
from codegen.protoc import compile_protos, go_tool

if TYPE_CHECKING:
    from codegen.lowered import Schema

_MODULE = "github.com/mattermost-plugin/mattermost-plugin/go"


def emit(schema: Schema) -> dict[str, str]:
    """Return the stubs by path."""
    protos = {
        path.removeprefix(f"{emit_proto.ROOT}/"): text for path, text in emit_proto.emit(schema).items()
    }
    generated = compile_protos(
        protos,
        [
            f"--plugin=protoc-gen-go={go_tool('protoc-gen-go')}",
            f"--plugin=protoc-gen-go-grpc={go_tool('protoc-gen-go-grpc')}",
            "--go_out={out}",
            f"--go_opt=module={_MODULE}",
            "--go-grpc_out={out}",
            f"--go-grpc_opt=module={_MODULE}",
        ],
    )
    return {f"go/{path}": text for path, text in generated.items()}
