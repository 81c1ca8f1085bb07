"""Every exception of the SDK.

::

    PluginError
    ├── AppError                    what Mattermost answers with: *model.AppError
    │   ├── BadRequest              400
    │   ├── Unauthorized            401
    │   ├── Forbidden               403
    │   ├── NotFound                404
    │   ├── Conflict                409
    │   ├── ContentTooLarge         413
    │   ├── TooManyRequests         429
    │   └── InternalServerError     500
    ├── ServerError                 any other Go error: only its text travels
    ├── SQLError                    PEP 249's Error
    │   ├── InterfaceError          wrong use of a connection or cursor
    │   └── DatabaseError           what PostgreSQL answers with: *pq.Error
    │       ├── DataError           SQLSTATE class 22
    │       ├── IntegrityError      23
    │       ├── InternalError       24, 25, 2B, 2D, 2F, 38, 39, 3B, XX
    │       ├── NotSupportedError   0A
    │       ├── OperationalError    08, 26 to 28, 34, 40, 53 to 58; or the database cannot be reached
    │       └── ProgrammingError    20, 21, 3D, 3F, 42, 44
    ├── UserError                   raised by an author for the user who reads it
    ├── NotSupported                the server (or this release) does not have the method
    ├── NotConnected                the API was used before on_activate or after the end
    │   └── UsedAfterFork           in a forked child (also an InterfaceError)
    ├── Unavailable                 the host is gone
    ├── DeadlineExceeded            no answer in time (also a TimeoutError)
    ├── CallFailed                  the call broke in another way
    └── SettingsError               a setting is not what the plugin's class says (also a ValueError)

What a method of the API raises is always one of these. `mattermost_plugin.sql` has the family of `SQLError`
under the names of PEP 249.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "AppError",
    "BadRequest",
    "CallFailed",
    "Conflict",
    "ContentTooLarge",
    "DataError",
    "DatabaseError",
    "DeadlineExceeded",
    "Forbidden",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "InternalServerError",
    "NotConnected",
    "NotFound",
    "NotSupported",
    "NotSupportedError",
    "OperationalError",
    "PluginError",
    "ProgrammingError",
    "SQLError",
    "ServerError",
    "SettingsError",
    "TooManyRequests",
    "Unauthorized",
    "Unavailable",
    "UsedAfterFork",
    "UserError",
    "app_error",
    "database_error",
]


class PluginError(Exception):
    """Base of every exception this package raises.

    Attributes:
        message: What went wrong, for people.
    """

    message: str

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message


class AppError(PluginError):
    """An error of Mattermost's own kind, received from the server or raised for it.

    Raised inside a hook that returns an error, it reaches the server with all its fields.

    Attributes:
        id: Key of the message in Mattermost's translations, such as `app.channel.get.find.app_error`.
        message: Text for the user.
        detailed_error: Text for developers.
        request_id: Request of the server in which it arose; empty if unknown.
        status_code: HTTP status.
        where: Go function that raised it, such as `GetChannel`.
        params: Values for the translated message. Mattermost does not send them, so they are empty in what
            the server answers.
        skip_translation: The user sees `message` as it is. Otherwise the server shows what its translations
            have under `id`, and the bare `id` if they have nothing. When not said, it is true if there is a
            message.
    """

    # Status that an instance has unless told otherwise; subclasses name theirs.
    default_status: ClassVar[int] = 500

    def __init__(
        self,
        message: str = "",
        *,
        id: str = "",  # noqa: A002 - Mattermost's name of the field
        detailed_error: str = "",
        request_id: str = "",
        status_code: int | None = None,
        where: str = "",
        params: Mapping[str, Any] | None = None,
        skip_translation: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.id = id
        self.detailed_error = detailed_error
        self.request_id = request_id
        self.status_code = self.default_status if status_code is None else status_code
        self.where = where
        self.params = dict(params or {})
        self.skip_translation = bool(message) if skip_translation is None else skip_translation

    def __str__(self) -> str:
        text = ", ".join(part for part in (self.message or self.id, self.detailed_error) if part)
        return f"{self.where}: {text}" if self.where else text


class BadRequest(AppError):
    """An argument is not acceptable to the server."""

    default_status = 400


class Unauthorized(AppError):
    """There is no valid session or token."""

    default_status = 401


class Forbidden(AppError):
    """A permission is missing."""

    default_status = 403


class NotFound(AppError):
    """There is no such thing on the server."""

    default_status = 404


class Conflict(AppError):
    """It exists already, or was changed meanwhile."""

    default_status = 409


class ContentTooLarge(AppError):
    """It is larger than the server allows."""

    default_status = 413


class TooManyRequests(AppError):
    """The server asks to slow down."""

    default_status = 429


class InternalServerError(AppError):
    """The server failed."""

    default_status = 500


_BY_STATUS: dict[int, type[AppError]] = {
    kind.default_status: kind
    for kind in (
        BadRequest,
        Unauthorized,
        Forbidden,
        NotFound,
        Conflict,
        ContentTooLarge,
        TooManyRequests,
        InternalServerError,
    )
}


def app_error(
    *,
    id: str,  # noqa: A002 - Mattermost's name of the field
    message: str,
    detailed_error: str,
    request_id: str,
    status_code: int,
    where: str,
    skip_translation: bool,
    params: Mapping[str, Any] | None = None,
) -> AppError:
    """Return the `AppError` of the class that fits `status_code`."""
    return _BY_STATUS.get(status_code, AppError)(
        message,
        id=id,
        detailed_error=detailed_error,
        request_id=request_id,
        status_code=status_code,
        where=where,
        params=params,
        skip_translation=skip_translation,
    )


class UserError(PluginError):
    """Raised by a hook to tell the user what is wrong, in the author's words.

    From `execute_command` the user sees the message as the command's error. From a hook that can reject, it
    is the reason of the rejection. The log has it at level debug only. Of every other exception a user sees
    no text.

    Attributes:
        message: What the user reads.
    """


class ServerError(PluginError):
    """An error of the server that is no `AppError`: Go sends only its text.

    Attributes:
        code: Which of Go's well-known errors it is; 0: none of them. 1 `io.EOF`, 2 `sql.ErrNoRows`,
            3 `sql.ErrConnDone`, 4 `sql.ErrTxDone`, 5 `driver.ErrSkip`, 6 `driver.ErrBadConn`,
            7 `driver.ErrRemoveArgument`.
    """

    def __init__(self, message: str = "", *, code: int = 0) -> None:
        super().__init__(message)
        self.code = code


class SQLError(PluginError):
    """Base of what `mattermost_plugin.sql` raises: PEP 249's `Error`."""


class InterfaceError(SQLError):
    """A connection or cursor was used in a way it cannot be, such as after it was closed."""


class DatabaseError(SQLError):
    """An error that PostgreSQL reported, with every field of its error response.

    Attributes:
        message: PostgreSQL's primary message.
        sqlstate: Five-character code, such as `23505` (unique violation).
        severity: `ERROR`, `FATAL`, `PANIC`, or a level of a notice.
        detail: Second message with more detail.
        hint: What to do about it.
        position: Where in the query, counted in characters from 1, as text.
        internal_position: The same within `internal_query`.
        internal_query: A query that PostgreSQL itself made, such as one inside a function.
        where: Call stack of functions and queries.
        schema: Schema it concerns.
        table: Table it concerns.
        column: Column it concerns.
        data_type_name: Data type it concerns.
        constraint: Constraint it concerns.
        file: Source file of PostgreSQL that reported it.
        line: Line in that file.
        routine: Function in that file.
    """

    def __init__(
        self,
        message: str = "",
        *,
        sqlstate: str = "",
        severity: str = "",
        detail: str = "",
        hint: str = "",
        position: str = "",
        internal_position: str = "",
        internal_query: str = "",
        where: str = "",
        schema: str = "",
        table: str = "",
        column: str = "",
        data_type_name: str = "",
        constraint: str = "",
        file: str = "",
        line: str = "",
        routine: str = "",
    ) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate
        self.severity = severity
        self.detail = detail
        self.hint = hint
        self.position = position
        self.internal_position = internal_position
        self.internal_query = internal_query
        self.where = where
        self.schema = schema
        self.table = table
        self.column = column
        self.data_type_name = data_type_name
        self.constraint = constraint
        self.file = file
        self.line = line
        self.routine = routine

    def __str__(self) -> str:
        return f"{self.message} (SQLSTATE {self.sqlstate})" if self.sqlstate else self.message


class DataError(DatabaseError):
    """A value does not fit its type."""


class IntegrityError(DatabaseError):
    """A constraint does not allow it: a key that exists, a row that is referred to."""


class InternalError(DatabaseError):
    """It cannot be done in the state the session is in, such as in a transaction that has failed."""


class NotSupportedError(DatabaseError):
    """PostgreSQL, or the way to it, cannot do this."""


class OperationalError(DatabaseError):
    """The database could not do it now: it cannot be reached, has no room, or ended the transaction."""


class ProgrammingError(DatabaseError):
    """The statement is wrong: its syntax, a name, the number of its parameters, a missing permission."""


# Classes of SQLSTATE, its first two characters.
_BY_SQLSTATE: dict[str, type[DatabaseError]] = {
    sqlstate: kind
    for kind, sqlstates in (
        (DataError, ("22",)),
        (IntegrityError, ("23",)),
        (InternalError, ("24", "25", "2B", "2D", "2F", "38", "39", "3B", "XX")),
        (NotSupportedError, ("0A",)),
        (OperationalError, ("08", "26", "27", "28", "34", "40", "53", "54", "55", "57", "58")),
        (ProgrammingError, ("20", "21", "3D", "3F", "42", "44")),
    )
    for sqlstate in sqlstates
}


def database_error(message: str, *, sqlstate: str, **fields: str) -> DatabaseError:
    """Return the `DatabaseError` of the class that fits `sqlstate`; `fields` are its further attributes."""
    return _BY_SQLSTATE.get(sqlstate[:2], DatabaseError)(message, sqlstate=sqlstate, **fields)


class NotSupported(PluginError):
    """The method does not exist here: the server is too old, or this release does not have it yet.

    Attributes:
        method: Go name of the method.
        minimum_version: First Mattermost version that has it; empty when unknown.
    """

    def __init__(self, message: str = "", *, method: str = "", minimum_version: str = "") -> None:
        super().__init__(message)
        self.method = method
        self.minimum_version = minimum_version


class NotConnected(PluginError):
    """The API was used while there is no host: before `on_activate`, or after the plugin's end."""


class UsedAfterFork(NotConnected, InterfaceError):
    """The API, the database or another plugin was called in a process that was forked from the plugin's.

    The connections to the server belong to the parent, which does not notice. Start the process by
    multiprocessing's method `spawn`, or make the call in the parent. It is an `InterfaceError` as well, so
    that code for PEP 249 finds it in its own family.
    """


class Unavailable(PluginError):
    """The host is gone or could not be reached; the call may or may not have been carried out.

    Attributes:
        method: Go name of the method.
    """

    def __init__(self, message: str = "", *, method: str = "") -> None:
        super().__init__(message)
        self.method = method


class DeadlineExceeded(PluginError, TimeoutError):
    """There was no answer in time; the call may or may not have been carried out.

    Attributes:
        method: Go name of the method.
        timeout: How long the call waited, in seconds; None when the other side set the limit.
    """

    def __init__(self, message: str = "", *, method: str = "", timeout: float | None = None) -> None:
        super().__init__(message)
        self.method = method
        self.timeout = timeout


class CallFailed(PluginError):
    """A call failed in a way that no other exception names; the message is the host's.

    Attributes:
        method: Go name of the method.
        status: Name of the gRPC status, such as `INTERNAL`.
    """

    def __init__(self, message: str = "", *, method: str = "", status: str = "") -> None:
        super().__init__(message)
        self.method = method
        self.status = status


class SettingsError(PluginError, ValueError):
    """The plugin's settings are not what its class for them says, or one without a default is missing.

    The message names each setting with the type it should have. It never holds a value, since that may be a
    secret.
    """
