"""The extracted contract: what ``schema/model.json`` says, as dataclasses.

``go/cmd/extract`` writes that file from Mattermost's ``server/public``; nothing here knows more than
the file does. Decisions (names, numbers, protobuf types) are taken in :mod:`codegen.lower`.
"""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class TypeKind(enum.Enum):
    """What a Go type expression is made of."""

    BASIC = "basic"  # string, bool, int64, ... (``name``)
    NAMED = "named"  # a declared type (``name`` is its key in Model.types, such as "model.Post")
    POINTER = "pointer"  # *elem
    SLICE = "slice"  # []elem
    ARRAY = "array"  # [length]elem
    MAP = "map"  # map[key]elem
    ANY = "any"  # the empty interface
    ERROR = "error"  # the predeclared error
    EXTERNAL = (
        "external"  # a declared type the contract does not look into (``name``: "io.Reader", "time.Time")
    )


@dataclass(frozen=True, slots=True)
class TypeExpr:
    """A Go type expression as a tree."""

    kind: TypeKind
    name: str = ""
    key: TypeExpr | None = None
    elem: TypeExpr | None = None
    length: int = 0


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter or result of a method; results mostly have no name."""

    name: str
    type: TypeExpr


@dataclass(frozen=True, slots=True)
class Method:
    """A method of one of the contract's interfaces, in source order."""

    name: str
    doc: str
    minimum_server_version: str  # "x.y", empty where the comment names none
    params: tuple[Param, ...]
    results: tuple[Param, ...]
    variadic: bool = False  # the last parameter is ...T; its type is then the slice


@dataclass(frozen=True, slots=True)
class Interface:
    """One of plugin.Hooks, plugin.API and plugin.Driver."""

    name: str
    doc: str
    file: str  # path inside server/public, such as "plugin/hooks.go"
    methods: tuple[Method, ...]


@dataclass(frozen=True, slots=True)
class StructField:
    """An exported field of a struct that can travel."""

    name: str
    type: TypeExpr
    doc: str = ""
    embedded: bool = False
    json_name: str = ""  # the name in its json tag; "-" where JSON leaves the field out


@dataclass(frozen=True, slots=True)
class OmittedField:
    """A field of a struct that no encoding can carry."""

    name: str
    reason: str  # "unexported", "func" or "chan"


@dataclass(frozen=True, slots=True)
class Constant:
    """A constant declared with a named basic type."""

    name: str
    value: str | int
    doc: str = ""


@dataclass(frozen=True, slots=True)
class TypeDecl:
    """A declared type that the contract reaches.

    ``underlying`` is set for everything but structs. An instance of a generic type is a declaration of
    its own, whose key names its arguments: ``model.PropertyOptions[*model.PluginPropertyOption]``.
    """

    key: str  # package name and type name, unique: "model.Post"
    name: str
    package: str  # import path
    file: str  # "model/post.go"; for other modules the file's base name prefixed by the import path
    doc: str
    is_struct: bool
    fields: tuple[StructField, ...] = ()
    omitted: tuple[OmittedField, ...] = ()
    underlying: TypeExpr | None = None
    constants: tuple[Constant, ...] = ()
    type_args: tuple[TypeExpr, ...] = ()
    aliases: tuple[str, ...] = ()  # other exported names of the same type ("SlackAttachment")


@dataclass(frozen=True, slots=True)
class GobType:
    """A type registered with gob, which may therefore travel inside an ``any``."""

    name: str  # the registered name; differs from the type's own where RegisterName was used
    type: TypeExpr


@dataclass(frozen=True, slots=True)
class Model:
    """The whole contract."""

    module: str
    version: str
    packages: Mapping[str, str]  # package name as used in keys -> import path
    interfaces: tuple[Interface, ...]
    types: tuple[TypeDecl, ...]
    gob_types: tuple[GobType, ...]

    def type(self, key: str) -> TypeDecl:
        """Return the declaration with that key, or raise KeyError."""
        for decl in self.types:
            if decl.key == key:
                return decl
        raise KeyError(key)

    def interface(self, name: str) -> Interface:
        """Return the interface of that name, or raise KeyError."""
        for interface in self.interfaces:
            if interface.name == name:
                return interface
        raise KeyError(name)


def load(path: Path) -> Model:
    """Read a ``model.json``."""
    return parse_text(path.read_text(encoding="utf-8"))


def parse_text(text: str) -> Model:
    """Read the text of a ``model.json``."""
    return parse(json.loads(text))


def parse(data: Mapping[str, Any]) -> Model:
    """Build a Model from decoded JSON."""
    return Model(
        module=data["module"],
        version=data["version"],
        packages=dict(data["packages"]),
        interfaces=tuple(_interface(item) for item in data["interfaces"]),
        types=tuple(_type_decl(item) for item in data["types"]),
        gob_types=tuple(GobType(item["name"], _type_expr(item["type"])) for item in data["gob_types"]),
    )


def _type_expr(data: Mapping[str, Any]) -> TypeExpr:
    return TypeExpr(
        kind=TypeKind(data["kind"]),
        name=data.get("name", ""),
        key=_type_expr(data["key"]) if "key" in data else None,
        elem=_type_expr(data["elem"]) if "elem" in data else None,
        length=data.get("length", 0),
    )


def _params(items: Any) -> tuple[Param, ...]:
    return tuple(Param(item.get("name", ""), _type_expr(item["type"])) for item in items)


def _interface(data: Mapping[str, Any]) -> Interface:
    methods = tuple(
        Method(
            name=item["name"],
            doc=item.get("doc", ""),
            minimum_server_version=item.get("minimum_server_version", ""),
            params=_params(item.get("params", ())),
            results=_params(item.get("results", ())),
            variadic=item.get("variadic", False),
        )
        for item in data["methods"]
    )
    return Interface(data["name"], data.get("doc", ""), data["file"], methods)


def _type_decl(data: Mapping[str, Any]) -> TypeDecl:
    return TypeDecl(
        key=data["key"],
        name=data["name"],
        package=data["package"],
        file=data["file"],
        doc=data.get("doc", ""),
        is_struct=data.get("is_struct", False),
        fields=tuple(
            StructField(
                name=item["name"],
                type=_type_expr(item["type"]),
                doc=item.get("doc", ""),
                embedded=item.get("embedded", False),
                json_name=item.get("json_name", ""),
            )
            for item in data.get("fields", ())
        ),
        omitted=tuple(OmittedField(item["name"], item["reason"]) for item in data.get("omitted", ())),
        underlying=_type_expr(data["underlying"]) if "underlying" in data else None,
        constants=tuple(
            Constant(item["name"], item["value"], item.get("doc", "")) for item in data.get("constants", ())
        ),
        type_args=tuple(_type_expr(item) for item in data.get("type_args", ())),
        aliases=tuple(data.get("aliases", ())),
    )
