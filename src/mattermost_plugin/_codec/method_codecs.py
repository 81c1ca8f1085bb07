"""Makes the codec of a method from what the table says of its request and response."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mattermost_plugin._codec.forms import Field, parse
from mattermost_plugin._codec.messages import decode_message, encode_message
from mattermost_plugin._codec.methods import Codec
from mattermost_plugin._codec.parts import head_of, pack_head
from mattermost_plugin._codec.plans import TUPLE, Plan
from mattermost_plugin._codec.problems import BadType, wrong_type
from mattermost_plugin._codec.wire import CHUNK, chunk, varint
from mattermost_plugin.reject import Reject

if TYPE_CHECKING:
    from collections.abc import Callable

    from mattermost_plugin._codec.methods import Method

__all__ = ["python_codec"]


def python_codec(method: Method) -> Codec:
    """Return the codec of a method in Python."""
    place = f"{method.name}(): "
    request_streams, response_streams = (side == "stream" for side in method.kind.split("_"))
    request = _Request(Plan(TUPLE, parse(method.request), place=place))
    response = _Response(method, parse(method.response), place)
    encode_error: Callable[[BaseException], bytes] | None = response.encode_error if response.error else None
    encode_response, decode_response = response.encode, response.decode
    encode_request, decode_request = request.encode, request.decode
    if request_streams:
        encode_request = lambda *values: pack_head(request.encode(*values))  # noqa: E731
        decode_request = lambda raw: request.decode(head_of(raw))  # noqa: E731
    if response_streams:
        encode_response = lambda result: pack_head(response.encode(result))  # noqa: E731
        decode_response = lambda raw: response.decode(head_of(raw))  # noqa: E731
        if encode_error is not None:
            encode_error = lambda error: pack_head(response.encode_error(error))  # noqa: E731
    return Codec(encode_request, decode_request, encode_response, decode_response, encode_error)


class _Request:
    """The arguments of a method."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def encode(self, *values: Any) -> bytes:
        plan = self._plan
        if len(values) != len(plan.fields):
            raise TypeError(f"{plan.place}expected {len(plan.fields)} arguments, got {len(values)}")
        return encode_message(plan, values)

    def decode(self, raw: bytes) -> tuple[Any, ...]:
        found: tuple[Any, ...] = decode_message(self._plan, raw)
        return found


class _Response:
    """The results of a method, its error, and the reason of a rejection."""

    def __init__(self, method: Method, fields: tuple[Field, ...], place: str) -> None:
        self._go_name = method.go_name
        self._place = place
        values = [field for field in fields if field.form.presence != "!"]
        if len(values) == 1:
            values = [values[0]._replace(name="result")]
        ends = [field for field in fields if field.form.presence == "!"]
        self.error = next((field for field in ends if field.form.kind in "xE"), None)
        self._reason = next((field for field in ends if field.form.kind == "s"), None)
        self._count = len(values)
        self._results = Plan(TUPLE, tuple(values), place=place)
        self._rejection = Plan(TUPLE, () if self._reason is None else (self._reason,), place=place)
        # A hook may return None for a list.
        self._required = (
            []
            if method.service == "Hooks"
            else [
                index
                for index, field in enumerate(values)
                if field.form.kind in "[{" and field.form.presence != "?"
            ]
        )
        # Read in the order of the numbers, returned in that of the results.
        self._all = Plan(TUPLE, (*values, *ends), place=place)

    def encode(self, result: Any) -> bytes:
        """Return a result, or a rejection, as a message."""
        if self._reason is not None and isinstance(result, Reject):
            return encode_message(self._rejection, (result.reason,))
        if self._count == 0:
            if result is None:
                return b""
            raise _wrong_result(self._place, "None" if self._reason is None else "Reject or None", result)
        if self._count == 1:
            values: Any = (result,)
        elif isinstance(result, tuple) and len(result) == self._count:
            values = result
        else:
            raise _wrong_result(self._place, f"tuple of {self._count}", result)
        for index in self._required:
            if values[index] is None:
                field = self._results.fields[index]
                raise _wrong_result(self._place, field.form.expected, None, field.name)
        return encode_message(self._results, values)

    def decode(self, raw: bytes) -> Any:
        """Return the results of a message.

        Raises:
            PluginError: The message holds an error.
            DecodeError: It is malformed.
        """
        values = decode_message(self._all, raw)
        count = self._count
        if len(values) > count:
            for value in values[count:]:
                if isinstance(value, BaseException):
                    raise value
                if value:
                    return Reject(value)
            values = values[:count]
        return values[0] if count == 1 else values if count else None

    def encode_error(self, error: BaseException) -> bytes:
        """Return an exception as a message."""
        from mattermost_plugin._codec.go_errors import app_error_of, encode_error, encode_exception

        assert self.error is not None
        form = self.error.form
        if form.kind == "x":
            content = encode_exception(form.reference, app_error_of(error, self._go_name))
        else:
            content = encode_error(error)
        return chunk(varint(self.error.number << 3 | CHUNK), content)


def _wrong_result(place: str, expected: str, result: Any, name: str = "result") -> BadType:
    error = wrong_type(expected, result)
    error.within(f"{place}{name}", complete=True)
    return error
