"""Go type expressions as text: printing them, and reading the simple ones of overrides.toml."""

from __future__ import annotations

from codegen.model import Method, TypeExpr, TypeKind

_BASICS = frozenset(
    ("bool", "byte", "string", "int", "int32", "int64", "uint", "uint32", "uint64", "float32", "float64")
)


def render(expr: TypeExpr) -> str:
    """Return the Go text of a type, packages by name: ``map[string]*model.Post``."""
    match expr.kind:
        case TypeKind.BASIC | TypeKind.NAMED | TypeKind.EXTERNAL:
            return expr.name
        case TypeKind.ANY:
            return "any"
        case TypeKind.ERROR:
            return "error"
    if expr.elem is None:
        raise ValueError(f"a {expr.kind.value} type without element")
    elem = render(expr.elem)
    match expr.kind:
        case TypeKind.POINTER:
            return f"*{elem}"
        case TypeKind.SLICE:
            return "[]byte" if elem in {"byte", "uint8"} else f"[]{elem}"
        case TypeKind.ARRAY:
            return f"[{expr.length}]{elem}"
    if expr.key is None:
        raise ValueError("a map type without key")
    return f"map[{render(expr.key)}]{elem}"


def parse(text: str) -> TypeExpr:
    """Read a type made of basic types, any, error, slices, pointers and maps of strings."""
    if text.startswith("[]"):
        return TypeExpr(TypeKind.SLICE, elem=parse(text[2:]))
    if text.startswith("*"):
        return TypeExpr(TypeKind.POINTER, elem=parse(text[1:]))
    if text.startswith("map[string]"):
        key = TypeExpr(TypeKind.BASIC, "string")
        return TypeExpr(TypeKind.MAP, key=key, elem=parse(text.removeprefix("map[string]")))
    if text in {"any", "error"}:
        return TypeExpr(TypeKind(text))
    if text in _BASICS:
        return TypeExpr(TypeKind.BASIC, text)
    raise ValueError(f"cannot read the Go type {text!r}")


def signature(method: Method) -> str:
    """Return a method as Go declares it, without the func keyword."""
    params = []
    for index, param in enumerate(method.params):
        text = render(param.type)
        if method.variadic and index == len(method.params) - 1:
            text = f"...{text.removeprefix('[]')}"
        params.append(f"{param.name} {text}".strip())
    results = [f"{result.name} {render(result.type)}".strip() for result in method.results]
    tail = ""
    if len(results) == 1 and not method.results[0].name:
        tail = f" {results[0]}"
    elif results:
        tail = f" ({', '.join(results)})"
    return f"{method.name}({', '.join(params)}){tail}"
