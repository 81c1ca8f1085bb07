"""What the server says about a request, beside the request itself."""

from __future__ import annotations

import base64
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mattermost_plugin.models.context import Context

__all__ = ["KEY", "RequestInfo", "request_context", "request_info", "request_plugin", "request_user_id"]

# Of the scope, of its `state`, and of the environ.
KEY = "mattermost"


class RequestInfo:
    """What the server says about a request.

    Attributes:
        plugin: The plugin that is asked.
        user_id: Id of the user who asks, by a valid session; empty: nobody has logged in.
        source_plugin_id: Id of the plugin that asks; empty for a request from outside.
        closing: Set when the plugin is about to end. What takes long ends then by itself, or is broken off a
            second later, before `on_deactivate`. Threads can wait for it (`closing.wait(1)` in the place of
            `time.sleep(1)`); ASGI applications are also told by `http.disconnect`, and by
            `websocket.disconnect` with the code 1001.
    """

    __slots__ = ("_context", "_encoded", "closing", "plugin", "source_plugin_id", "user_id")

    def __init__(
        self,
        plugin: Any,
        user_id: str,
        source_plugin_id: str,
        encoded_context: str,
        closing: threading.Event | None = None,
    ) -> None:
        self.plugin = plugin
        self.user_id = user_id
        self.source_plugin_id = source_plugin_id
        self.closing = closing or threading.Event()
        self._encoded = encoded_context
        self._context: Context | None = None

    @property
    def context(self) -> Context:
        """The plugin context of the request: ids of the session and of the request, the client's address."""
        if self._context is None:
            from mattermost_plugin._codec.messages import decode_message
            from mattermost_plugin._codec.plans import plan_of

            padded = self._encoded + "=" * (-len(self._encoded) % 4)
            self._context = decode_message(plan_of("context/Context"), base64.urlsafe_b64decode(padded))
        return self._context


def request_info(request: Any) -> RequestInfo:
    """Return what the server says about a request.

    Args:
        request: An ASGI scope, a WSGI environ, or a request object that has one: of Starlette and FastAPI
            (also their WebSocket), Flask and Werkzeug, Django, or a `Router`'s.

    Raises:
        LookupError: It is none of a plugin's HTTP server.
    """
    for candidate in (
        request,
        getattr(request, "scope", None),
        getattr(request, "environ", None),
        getattr(request, "info", None),
    ):
        if isinstance(candidate, RequestInfo):
            return candidate
        try:
            found = candidate[KEY]  # type: ignore[index] # what cannot be indexed is caught
        except (TypeError, LookupError, AttributeError):
            continue
        if isinstance(found, RequestInfo):
            return found
    raise LookupError(f"{type(request).__name__} is no request that a Mattermost server sent to this plugin")


def request_context(request: Any) -> Context:
    """Return the plugin context of a request; see `request_info`."""
    return request_info(request).context


def request_user_id(request: Any) -> str:
    """Return the id of the user who asks; empty: nobody has logged in. See `request_info`."""
    return request_info(request).user_id


def request_plugin(request: Any) -> Any:
    """Return the plugin that is asked; see `request_info`."""
    return request_info(request).plugin
