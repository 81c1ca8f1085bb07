"""From `OnActivate` to `on_deactivate`, on threads: each step once, whoever asks for it."""

from __future__ import annotations

import enum
import threading
from typing import TYPE_CHECKING

from mattermost_plugin._logger import get_logger
from mattermost_plugin._runtime.outcomes import encode_failure, encode_result
from mattermost_plugin._runtime.timing import DEACTIVATE_GRACE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mattermost_plugin._codec.methods import Method
    from mattermost_plugin._grpc.threads import ServerCall
    from mattermost_plugin._runtime.dispatch import Dispatcher

__all__ = ["Lifecycle", "State"]

logger = get_logger("mattermost_plugin")


class State(enum.Enum):
    """Where a plugin is in its life."""

    NEW = enum.auto()
    ACTIVATING = enum.auto()
    ACTIVE = enum.auto()
    ENDED = enum.auto()


class Lifecycle:
    """Serves `OnActivate` and `OnDeactivate`, and ends the plugin when nobody asks for it."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        hooks: Mapping[str, Method],
        implemented: frozenset[str],
        connect: Callable[[int, int], None],
        *,
        activated: Callable[[], None] | None = None,
        deactivating: Callable[[], None] | None = None,
    ) -> None:
        """Make the life of one plugin.

        Args:
            dispatcher: Calls the plugin's hooks.
            hooks: Every hook by Python name.
            implemented: Python names of those the plugin overrides.
            connect: Called with the broker's ids of the API and the driver before the first hook.
            activated: Called after `on_activate`; what it raises fails the activation.
            deactivating: Called before `on_deactivate`.
        """
        self._dispatcher = dispatcher
        self._hooks = hooks
        self._implemented = implemented
        self._connect = connect
        self._activated = activated
        self._deactivating = deactivating
        self._lock = threading.Lock()
        self._deactivated = threading.Event()
        self.state = State.NEW

    def on_activate(self, request: bytes, _call: ServerCall | None) -> bytes:
        """Serve `OnActivate`: connect, tell the plugin of its configuration, activate it."""
        method = self._hooks["on_activate"]
        api_id, driver_id, _server_version = method.codec.decode_request(request)
        self._move(State.ACTIVATING)
        try:
            self._connect(api_id, driver_id)
            self._first_configuration()
            result = self._dispatcher.run(method)
            if self._activated is not None:
                self._activated()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - encode_failure logs it
            self._move(State.ENDED)
            return encode_failure(method, error)
        response = encode_result(method, result)
        self._move(State.ACTIVE)
        return response

    def on_deactivate(self, _request: bytes, _call: ServerCall | None) -> bytes:
        """Serve `OnDeactivate`; a second one waits for the first and reports no error."""
        method = self._hooks["on_deactivate"]
        if not self._take_deactivation():
            if self.state is State.ENDED:
                self._deactivated.wait(DEACTIVATE_GRACE)
            return method.codec.encode_response(None)
        try:
            self._prepare_deactivation()
            return encode_result(method, self._dispatcher.run(method))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - encode_failure logs it
            return encode_failure(method, error)
        finally:
            self._deactivated.set()

    def end(self, grace: float = DEACTIVATE_GRACE) -> None:
        """Deactivate the plugin if it is active and nobody has; wait for it at most `grace` seconds."""
        if self._take_deactivation():
            threading.Thread(target=self._deactivate, name="on_deactivate", daemon=True).start()
        elif self.state is not State.ENDED:
            return
        if not self._deactivated.wait(grace):
            logger.warning("on_deactivate did not end within %g seconds; the plugin ends without it", grace)

    def _prepare_deactivation(self) -> None:
        if self._deactivating is None:
            return
        try:
            self._deactivating()
        except Exception:
            logger.exception("The plugin's HTTP server did not stop as it should")

    def _deactivate(self) -> None:
        try:
            self._prepare_deactivation()
            self._dispatcher.run(self._hooks["on_deactivate"])
        except (Exception, SystemExit):
            logger.exception("Hook on_deactivate failed", extra={"hook": "on_deactivate"})
        finally:
            self._deactivated.set()

    def _first_configuration(self) -> None:
        if "on_configuration_change" not in self._implemented:
            return
        try:
            self._dispatcher.run(self._hooks["on_configuration_change"])
        except (Exception, SystemExit):
            # As with a Go plugin: on_activate may still make something of it.
            logger.exception(
                "Hook on_configuration_change failed before on_activate",
                extra={"hook": "on_configuration_change"},
            )

    def _move(self, state: State) -> None:
        with self._lock:
            self.state = state
            if state is State.ENDED:
                self._deactivated.set()
            else:
                self._deactivated.clear()

    def _take_deactivation(self) -> bool:
        with self._lock:
            if self.state is not State.ACTIVE:
                return False
            self.state = State.ENDED
            return True
