"""Go's errors as exceptions: the `Error` message and the three types it may hold.

An encoder takes any exception: what is not of its own type is turned into the nearest thing, because what a
hook raises must reach the server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from mattermost_plugin._codec.messages import decode_message
from mattermost_plugin._codec.plans import plan_of
from mattermost_plugin._codec.wire import CHUNK, chunk, fields, varint
from mattermost_plugin.errors import (
    AppError,
    DatabaseError,
    PluginError,
    ServerError,
    app_error,
    database_error,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "app_error_of",
    "decode_error",
    "decode_exception",
    "encode_error",
    "encode_exception",
    "exception_class",
]


class _Kind(NamedTuple):
    """A type of error.

    Attributes:
        number: Its case in `Error`.
        exceptions: The class of its exceptions.
        make: Returns the exception, given the fields of the message by name.
        values: Returns an exception's values of the fields.
    """

    number: int
    exceptions: type[BaseException]
    make: Callable[..., PluginError]
    values: Callable[[Any, tuple[str, ...]], tuple[Any, ...]]


def _database_error(*, code: str, **values: Any) -> DatabaseError:
    return database_error(sqlstate=code, **values)


def _server_error(*, code: int, err: str) -> ServerError:
    return ServerError(err, code=code)


def _attributes(error: Any, names: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(getattr(error, name) for name in names)


def _database_values(error: DatabaseError, names: tuple[str, ...]) -> tuple[Any, ...]:
    return _attributes(error, tuple("sqlstate" if name == "code" else name for name in names))


def _text_values(error: BaseException, names: tuple[str, ...]) -> tuple[Any, ...]:
    # Of other exceptions than a ServerError the text alone can travel.
    if isinstance(error, ServerError):
        found: dict[str, Any] = {"code": error.code, "err": error.message}
    else:
        found = {"code": 0, "err": _text(error)}
    return tuple(found[name] for name in names)


# The names are those of the messages; their fields are in `_gen/layouts/error.py`.
_KINDS = {
    "error/AppError": _Kind(1, AppError, app_error, _attributes),
    "error/PqError": _Kind(2, DatabaseError, _database_error, _database_values),
    "error/ErrorString": _Kind(3, BaseException, _server_error, _text_values),
}
_BY_TAG = {kind.number << 3 | CHUNK: name for name, kind in _KINDS.items()}


def exception_class(reference: str) -> type[BaseException]:
    """Return the class of the exceptions that a message stands for."""
    return _KINDS[reference].exceptions


def decode_error(data: bytes) -> PluginError:
    """Return the exception for a serialized `Error`.

    Raises:
        ValueError: The bytes are no `Error`.
    """
    name = ""
    content = b""
    for tag, piece in fields(data):
        found = _BY_TAG.get(tag)
        if found is not None:
            # Two parts of one message are merged; of two cases the last one counts.
            content = content + piece if found == name else piece
            name = found
    if not name:
        return ServerError("an error of a kind that this release does not know")
    return decode_exception(name, content)


def encode_error(error: BaseException) -> bytes:
    """Return an exception as a serialized `Error`."""
    if not isinstance(error, BaseException):
        raise TypeError(f"expected Exception, got {type(error).__name__}")
    for name, kind in _KINDS.items():
        if isinstance(error, kind.exceptions):
            return chunk(varint(kind.number << 3 | CHUNK), encode_exception(name, error))
    raise AssertionError(error)  # the last class is that of all


def decode_exception(reference: str, data: bytes) -> PluginError:
    """Return the exception of one type; the class follows its HTTP status or SQLSTATE.

    Args:
        reference: `module/name` of the message.
        data: The serialized message.

    Raises:
        ValueError: The bytes are no such message.
    """
    plan = plan_of(reference)
    values = decode_message(plan, data)
    return _KINDS[reference].make(
        **{field.name: value for field, value in zip(plan.fields, values, strict=True)}
    )


def encode_exception(reference: str, error: BaseException) -> bytes:
    """Return an exception of one type as a serialized message; arguments as of `decode_exception`."""
    kind = _KINDS[reference]
    if not isinstance(error, kind.exceptions):
        raise TypeError(f"expected {kind.exceptions.__name__}, got {type(error).__name__}")
    plan = plan_of(reference)
    out: list[bytes] = []
    plan.encode(kind.values(error, tuple(field.name for field in plan.fields)), out)
    return b"".join(out)


def app_error_of(error: BaseException, where: str) -> AppError:
    """Return an exception as the `AppError` that a hook has to return.

    Args:
        error: Any exception.
        where: Go name of the hook.
    """
    if isinstance(error, AppError):
        return error
    return AppError(_text(error), id="plugin.hook_failed", where=where, status_code=500)


def _text(error: BaseException) -> str:
    # A lone surrogate (from a file name, say) would keep the error from being sent at all.
    return (str(error) or type(error).__name__).encode(errors="backslashreplace").decode()
