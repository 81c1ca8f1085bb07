"""The entries of the generated method tables: one object per method of the contract.

A table holds strings only. What turns bytes into values is made when a method is first used, so that a plugin
which overrides three hooks pays for three.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
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
        request: The fields of the request, or of its head, as `forms` reads them.
        response: The fields of the response, or of its head.
        minimum_version: Mattermost version that brought it; empty when Go does not say.
        kind: One of gRPC's four: `unary_unary`, `unary_stream`, `stream_unary`, `stream_stream`.
        can_reject: A hook that accepts a `Reject`.
        unavailable: Not empty: a sentence why this release cannot do it yet.
        path: What stands in the `:path` of a call.
        codec: The method's codec; the first use makes it.
    """

    codec: Codec

    __slots__ = (
        "can_reject",
        "codec",
        "go_name",
        "kind",
        "minimum_version",
        "name",
        "parameters",
        "path",
        "request",
        "response",
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
        signature: str,
        request: str = "",
        response: str = "",
        *,
        minimum_version: str = "",
        kind: str = "unary_unary",
        can_reject: bool = False,
        unavailable: str = "",
    ) -> None:
        self.service = service
        self.go_name = go_name
        self.name = name
        self.parameters = parameters
        self.signature = signature
        self.request = request
        self.response = response
        self.minimum_version = minimum_version
        self.kind = kind
        self.can_reject = can_reject
        self.unavailable = unavailable
        self.path = f"/{PACKAGE}.{service}/{go_name}"

    def __getattr__(self, name: str) -> Codec:
        # Only what is not there yet gets here: each call uses the codec, and a property would cost it more.
        if name != "codec":
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        from mattermost_plugin._codec.compiled import codec_of

        self.codec = codec_of(self)
        return self.codec

    def __repr__(self) -> str:
        return f"<Method {self.service}.{self.go_name}>"
