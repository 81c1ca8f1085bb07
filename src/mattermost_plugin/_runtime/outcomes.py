"""What a hook did, as the host hears it: a result, an error inside the response, or a failed call."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any

from mattermost_plugin._grpc import RpcError, StatusCode
from mattermost_plugin._logger import get_logger
from mattermost_plugin._runtime.environment import Environment
from mattermost_plugin.errors import AppError, PluginError, SettingsError, UserError
from mattermost_plugin.reject import Reject

if TYPE_CHECKING:
    from mattermost_plugin._codec.methods import Method

__all__ = ["encode_failure", "encode_result", "failed_call", "logger"]

logger = get_logger("mattermost_plugin.hooks")


def encode_result(method: Method, result: Any) -> bytes:
    """Return the response for what the hook returned.

    Raises:
        RpcError: It is nothing that this hook can return; the log says what and where.
    """
    try:
        if result is None and method.name == "execute_command":
            # To the server no response means that there is no such command.
            from mattermost_plugin.models import CommandResponse

            result = CommandResponse()
        if type(result) is Reject:
            # A hook whose response has an error refuses by it; only the others have a place for a reason.
            if method.codec.encode_error is not None:
                return method.codec.encode_error(PluginError(result.reason))
            if not method.can_reject:
                raise TypeError("this hook cannot reject")
        return method.codec.encode_response(result)
    except Exception as error:
        # Without the value: what a hook returns may hold secrets, and the log is no place for them.
        wrong = TypeError(
            f"{method.name} returned a {type(result).__name__}; the hook is {method.signature}: {error}"
        )
        wrong.__cause__ = error
        logger.exception(
            "Hook %s returned a wrong result", method.name, exc_info=wrong, extra={"hook": method.name}
        )
        raise failed_call(method) from None


def encode_failure(method: Method, error: BaseException) -> bytes:
    """Return the response for an exception that the hook raised, where its response has room for an error.

    Raises:
        RpcError: There is no room; the log has the traceback, the host hears no text of the plugin.
    """
    encode_error = method.codec.encode_error
    if isinstance(error, UserError) and error.message and (method.can_reject or encode_error is not None):
        logger.debug("Hook %s tells the user: %s", method.name, error, extra={"hook": method.name})
        if method.name == "execute_command":
            error = AppError(error.message, id="plugin.user_error", where=method.go_name, status_code=400)
        elif method.can_reject:
            return encode_result(method, Reject(error.message))
        return encode_error(error) if encode_error is not None else b""
    error_id = os.urandom(4).hex()
    # An AppError is an answer, made to be shown; on_activate's ends the plugin and is worth its traceback.
    answered = encode_error is not None and isinstance(error, AppError) and method.name != "on_activate"
    logger.log(
        logging.DEBUG if answered else logging.ERROR,
        "Hook %s raised %s: %s",
        method.name,
        type(error).__name__,
        error,
        # What is wrong with settings stands in the text; the author's code has no part in it.
        exc_info=None if isinstance(error, SettingsError) else error,
        extra={"hook": method.name, "error_id": error_id},
    )
    if encode_error is None:
        raise failed_call(method) from None
    if method.name == "execute_command" and not answered:
        # What the user reads. The text of an exception is neither helpful nor meant for users.
        plugin = Environment.read().plugin_id or "the plugin"
        text = f"Something went wrong in {plugin}. The server's log says what, under the error id {error_id}."
        error = AppError(text, id="plugin.hook_failed", where=method.go_name, status_code=500)
    return encode_error(error)


def failed_call(method: Method) -> RpcError:
    """Return the status of a hook that failed: its reason is in the log and nowhere else."""
    return RpcError(StatusCode.INTERNAL, f"the plugin's hook {method.go_name} failed; its log says why")
