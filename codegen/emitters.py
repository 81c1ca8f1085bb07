"""The emitters that ``python -m codegen`` runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from codegen import (
    emit_bundle,
    emit_docs,
    emit_go_contracttest,
    emit_go_convert,
    emit_go_grpcplugin,
    emit_go_netrpc,
    emit_go_pb,
    emit_go_recorders,
    emit_go_service,
    emit_go_timers,
    emit_proto,
    emit_python_api,
    emit_python_hooks,
    emit_python_json,
    emit_python_layouts,
    emit_python_methods,
    emit_python_models,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from codegen.lowered import Schema


@dataclass(frozen=True, slots=True)
class Emitter:
    """Something that turns the schema into files.

    ``emit`` returns the files' texts by path, relative to the repository. ``owns`` are glob patterns of
    all the files it could ever write: one that matches and is not written is stale and goes.
    """

    name: str
    emit: Callable[[Schema], dict[str, str]]
    owns: tuple[str, ...]


EMITTERS: tuple[Emitter, ...] = (
    Emitter("proto", emit_proto.emit, ("schema/proto/**/*.proto",)),
    Emitter("go-pb", emit_go_pb.emit, ("go/pluginpb/*.pb.go",)),
    Emitter("go-convert", emit_go_convert.emit, ("go/internal/convert/*_gen.go",)),
    Emitter(
        "go-service",
        emit_go_service.emit,
        tuple(
            f"go/internal/service/{stem}_gen.go"
            for stem in ("api_server", "driver_server", "hooks_client", "hooks_rpcerr", "hooks", "versions")
        ),
    ),
    Emitter("go-netrpc", emit_go_netrpc.emit, ("go/internal/service/netrpc_*_gen.go",)),
    Emitter("go-grpcplugin", emit_go_grpcplugin.emit, (f"{emit_go_grpcplugin.FOLDER}/*_gen.go",)),
    Emitter("go-timers", emit_go_timers.emit, (f"{emit_go_timers.FOLDER}/*_gen.go",)),
    Emitter("go-recorders", emit_go_recorders.emit, (emit_go_recorders.PATH,)),
    Emitter("python-models", emit_python_models.emit, ("src/mattermost_plugin/models/*.py",)),
    Emitter(
        "python-methods",
        emit_python_methods.emit,
        tuple(f"src/mattermost_plugin/_gen/{service}_methods.py" for service in ("api", "driver", "hook")),
    ),
    Emitter(
        "python-layouts",
        emit_python_layouts.emit,
        tuple(
            f"src/mattermost_plugin/_gen/{path}" for path in ("layouts/*.py", "__init__.py", "value_cases.py")
        ),
    ),
    Emitter("python-json", emit_python_json.emit, ("src/mattermost_plugin/_gen/json_names/*.py",)),
    Emitter("python-api", emit_python_api.emit, ("src/mattermost_plugin/api/*.py",)),
    Emitter("python-hooks", emit_python_hooks.emit, ("src/mattermost_plugin/hooks/*.py",)),
    Emitter("bundle", emit_bundle.emit, (emit_bundle.GO_PATH, emit_bundle.PYTHON_PATH)),
    Emitter("go-contracttest", emit_go_contracttest.emit, (emit_go_contracttest.PATH,)),
    Emitter("docs", emit_docs.emit, (f"{emit_docs.ROOT}/**/*.md",)),
)
