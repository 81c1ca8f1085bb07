"""The entries of the generated method tables: one object per method of the contract.

A table holds strings only. What turns bytes into values is imported when a method is first used, so that a
plugin which overrides three hooks pays for three.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any, NamedTuple, TypeVar, Union

__all__ = ["PACKAGE", "Codec", "MaybeAwaitable", "Method"]

PACKAGE = "mattermost.plugin.v1"

_T = TypeVar("_T")

# What a hook may return: `def` and `async def` both override it. Written with Union because Python 3.10
# cannot subscript `X | Y` aliases with a type variable.
MaybeAwaitable = Union[_T, Awaitable[_T]]  # noqa: UP007


class Codec(NamedTuple):
    """Turns one method's arguments and results into bytes and back, for either side of the call."""

    encode_request: Callable[..., bytes]
    decode_request: Callable[[bytes], tuple[Any, ...]]
    encode_response: Callable[[Any], bytes]
    decode_response: Callable[[bytes], Any]
    encode_error: Callable[[BaseException], bytes] | None


class Method:
    """One method of the `Hooks`, `API` or `Driver` service.

    Attributes:
        service: Name of the gRPC service.
        go_name: Name in Go, which is the name on the wire.
        name: Name in Python.
        parameters: Python parameter names, without `self`.
        signature: What an error message shows of it.
        minimum_version: Mattermost version that brought it; empty when Go does not say.
        kind: One of gRPC's four: `unary_unary`, `unary_stream`, `stream_unary`, `stream_stream`.
        can_reject: A hook that accepts a `Reject`.
        module: Dotted name of the module that holds its `Codec`, under the method's Python name.
        unavailable: Not empty: a sentence why this release cannot do it yet.
        path: What stands in the `:path` of a call.
        codec: The method's codec; the first use imports the modules that hold it.
    """

    codec: Codec

    __slots__ = (
        "can_reject",
        "codec",
        "go_name",
        "kind",
        "minimum_version",
        "module",
        "name",
        "parameters",
        "path",
        "service",
        "signature",
        "unavailable",
    )

    def __init__(
        self,
        service: str,
        go_name: str,
        name: str,
        parameters: tuple[str, ...],
        *,
        signature: str,
        minimum_version: str = "",
        kind: str = "unary_unary",
        can_reject: bool = False,
        module: str = "",
        unavailable: str = "",
    ) -> None:
        self.service = service
        self.go_name = go_name
        self.name = name
        self.parameters = parameters
        self.signature = signature
        self.minimum_version = minimum_version
        self.kind = kind
        self.can_reject = can_reject
        self.module = module
        self.unavailable = unavailable
        self.path = f"/{PACKAGE}.{service}/{go_name}"

    def __getattr__(self, name: str) -> Codec:
        # Only what is not there yet gets here: each call uses the codec, and a property would cost it more.
        if name != "codec":
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        from mattermost_plugin._codec.layouts import with_layouts

        self.codec = with_layouts(self.module, self.name, self.python_codec)
        return self.codec

    def python_codec(self) -> Codec:
        """Return the codec in Python, which `codec` falls back to where the compiled core carries it out."""
        found: Codec = getattr(import_module(self.module), self.name)
        return found

    def __repr__(self) -> str:
        return f"<Method {self.service}.{self.go_name}>"
