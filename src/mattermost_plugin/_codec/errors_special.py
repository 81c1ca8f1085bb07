"""Go's errors as exceptions: the `Error` message and the three types it may hold.

An encoder takes any exception: what is not of its own type is turned into the nearest thing, because what a
hook raises must reach the server.
"""

from __future__ import annotations

from typing import Any

from mattermost_plugin.errors import (
    AppError,
    DatabaseError,
    PluginError,
    ServerError,
    app_error,
    database_error,
)

__all__ = [
    "app_error_of",
    "decode_app_error",
    "decode_error",
    "decode_error_string",
    "decode_pq_error",
    "encode_app_error",
    "encode_error_string",
    "encode_pq_error",
    "put_error",
]

# Attributes that the exception and the message call by the same name.
_APP_ERROR = ("id", "message", "detailed_error", "request_id", "status_code", "where", "skip_translation")
_PQ_ERROR = (
    "message",
    "severity",
    "detail",
    "hint",
    "position",
    "internal_position",
    "internal_query",
    "where",
    "schema",
    "table",
    "column",
    "data_type_name",
    "constraint",
    "file",
    "line",
    "routine",
)


def decode_error(message: Any) -> PluginError:
    """Return the exception for an `Error`."""
    match message.WhichOneof("kind"):
        case "app_error":
            return decode_app_error(message.app_error)
        case "pq_error":
            return decode_pq_error(message.pq_error)
        case "error_string":
            return decode_error_string(message.error_string)
    return ServerError("an error of a kind that this release does not know")


def put_error(error: BaseException, message: Any) -> None:
    """Store an exception in an `Error`."""
    if isinstance(error, AppError):
        message.app_error.SetInParent()
        encode_app_error(error, message.app_error)
    elif isinstance(error, DatabaseError):
        message.pq_error.SetInParent()
        encode_pq_error(error, message.pq_error)
    else:
        message.error_string.SetInParent()
        encode_error_string(error, message.error_string)


def decode_app_error(message: Any) -> AppError:
    """Return the exception for a `*model.AppError`; its class follows the HTTP status."""
    return app_error(**{name: getattr(message, name) for name in _APP_ERROR})


def encode_app_error(error: AppError, message: Any) -> None:
    """Store an `AppError`."""
    _require(error, AppError)
    _copy(error, message, _APP_ERROR)


def app_error_of(error: BaseException, where: str) -> AppError:
    """Return an exception as the `AppError` that a hook has to return.

    Args:
        error: Any exception.
        where: Go name of the hook.
    """
    if isinstance(error, AppError):
        return error
    return AppError(_text(error), id="plugin.hook_failed", where=where, status_code=500)


def decode_pq_error(message: Any) -> DatabaseError:
    """Return the exception for a `*pq.Error`; its class follows the SQLSTATE."""
    return database_error(sqlstate=message.code, **{name: getattr(message, name) for name in _PQ_ERROR})


def encode_pq_error(error: DatabaseError, message: Any) -> None:
    """Store a `DatabaseError`."""
    _require(error, DatabaseError)
    _copy(error, message, _PQ_ERROR)
    message.code = error.sqlstate


def decode_error_string(message: Any) -> ServerError:
    """Return the exception for any other Go error."""
    return ServerError(message.err, code=message.code)


def encode_error_string(error: BaseException, message: Any) -> None:
    """Store an exception of which only the text, and the code of a `ServerError`, can travel."""
    _require(error, BaseException)
    if isinstance(error, ServerError):
        message.code = error.code
        message.err = error.message
    else:
        message.err = _text(error)


def _text(error: BaseException) -> str:
    # A lone surrogate (from a file name, say) would keep the error from being sent at all.
    return (str(error) or type(error).__name__).encode(errors="backslashreplace").decode()


def _copy(error: Any, message: Any, names: tuple[str, ...]) -> None:
    for name in names:
        setattr(message, name, getattr(error, name))


def _require(error: object, expected: type[BaseException]) -> None:
    if not isinstance(error, expected):
        raise TypeError(f"expected {expected.__name__}, got {type(error).__name__}")
