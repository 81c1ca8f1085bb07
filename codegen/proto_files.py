"""Puts messages into .proto files so that no two files need each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from codegen.problems import CodegenError

if TYPE_CHECKING:
    from codegen.lowered import Conversion, Message

Graph = Mapping[str, frozenset[str]]


class FileCycleError(CodegenError):
    """A cycle of files has no name, or two."""


def message_references(message: Message) -> frozenset[str]:
    """Return the names of the messages (and wire enums) that a message's fields need."""
    return frozenset(name for field in message.fields for name in _conversion_references(field.conversion))


def _conversion_references(conversion: Conversion) -> Iterator[str]:
    if conversion.wrapper:
        yield conversion.wrapper
        return
    if conversion.elem is not None:
        yield from _conversion_references(conversion.elem)
    elif conversion.proto_type[:1].isupper():
        yield conversion.proto_type


def merge_cycles(needs: Graph, names: tuple[str, ...]) -> dict[str, str]:
    """Decide the file of every stem, merging stems that need each other.

    Args:
        needs: For each stem the stems its messages refer to.
        names: Stems that a merged file is to be named after; otherwise it is the alphabetically first.

    Returns:
        The file's stem for each stem.
    """
    files: dict[str, str] = {}
    used: set[str] = set()
    for component in strongly_connected(needs):
        chosen = sorted(set(names) & component) if len(component) > 1 else []
        if len(chosen) > 1:
            raise FileCycleError(f"{', '.join(chosen)} are in one cycle of files; only one can name it")
        used.update(chosen)
        home = chosen[0] if chosen else min(component)
        files.update(dict.fromkeys(component, home))
    if stale := sorted(set(names) - used):
        raise FileCycleError(f"overrides name merged files that are in no cycle: {', '.join(stale)}")
    return files


def strongly_connected(graph: Graph) -> list[frozenset[str]]:
    """Return the sets of nodes that reach each other (Tarjan's algorithm)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    components: list[frozenset[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for following in sorted(graph.get(node, ())):
            if following not in index:
                visit(following)
                low[node] = min(low[node], low[following])
            elif following in stack:
                low[node] = min(low[node], index[following])
        if low[node] == index[node]:
            position = stack.index(node)
            components.append(frozenset(stack[position:]))
            del stack[position:]

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return components
