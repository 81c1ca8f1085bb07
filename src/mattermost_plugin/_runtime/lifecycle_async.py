"""From `OnActivate` to `on_deactivate`, on asyncio: each step once, whoever asks for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from mattermost_plugin._logger import get_logger
from mattermost_plugin._runtime.lifecycle import State
from mattermost_plugin._runtime.outcomes import encode_failure, encode_result
from mattermost_plugin._runtime.timing import DEACTIVATE_GRACE

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from mattermost_plugin._codec.methods import Method
    from mattermost_plugin._grpc.aio import ServerCall
    from mattermost_plugin._runtime.dispatch_async import AsyncDispatcher

__all__ = ["AsyncLifecycle"]

logger = get_logger("mattermost_plugin")


class AsyncLifecycle:
    """Serves `OnActivate` and `OnDeactivate`, and ends the plugin when nobody asks for it."""

    def __init__(
        self,
        dispatcher: AsyncDispatcher,
        hooks: Mapping[str, Method],
        implemented: frozenset[str],
        connect: Callable[[int, int], Awaitable[None]],
        *,
        activated: Callable[[], Awaitable[None]] | None = None,
        deactivating: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Make the life of one plugin; the arguments are those of `Lifecycle`."""
        self._dispatcher = dispatcher
        self._hooks = hooks
        self._implemented = implemented
        self._connect = connect
        self._activated = activated
        self._deactivating = deactivating
        self._deactivated = asyncio.Event()
        self._deactivation: asyncio.Task[None] | None = None
        self.state = State.NEW

    async def on_activate(self, request: bytes, _call: ServerCall | None) -> bytes:
        """Serve `OnActivate`: connect, tell the plugin of its configuration, activate it."""
        method = self._hooks["on_activate"]
        api_id, driver_id, _server_version = method.codec.decode_request(request)
        self.state = State.ACTIVATING
        self._deactivated.clear()
        try:
            await self._connect(api_id, driver_id)
            await self._first_configuration()
            result = await self._dispatcher.run(method)
            if self._activated is not None:
                await self._activated()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - encode_failure logs it
            self._end_without_hook()
            return encode_failure(method, error)
        except asyncio.CancelledError:
            self._end_without_hook()
            raise
        response = encode_result(method, result)
        self.state = State.ACTIVE
        return response

    async def on_deactivate(self, _request: bytes, _call: ServerCall | None) -> bytes:
        """Serve `OnDeactivate`; a second one waits for the first and reports no error."""
        method = self._hooks["on_deactivate"]
        if self.state is not State.ACTIVE:
            if self.state is State.ENDED:
                await self._wait(DEACTIVATE_GRACE)
            return method.codec.encode_response(None)
        self.state = State.ENDED
        try:
            await self._prepare_deactivation()
            return encode_result(method, await self._dispatcher.run(method))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - encode_failure logs it
            return encode_failure(method, error)
        finally:
            self._deactivated.set()

    async def end(self, grace: float = DEACTIVATE_GRACE) -> None:
        """Deactivate the plugin if it is active and nobody has; wait for it at most `grace` seconds."""
        if self.state is State.ACTIVE:
            self.state = State.ENDED
            self._deactivation = asyncio.create_task(self._deactivate())
        elif self.state is not State.ENDED:
            return
        if not await self._wait(grace):
            logger.warning("on_deactivate did not end within %g seconds; the plugin ends without it", grace)

    async def _wait(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._deactivated.wait(), seconds)
        except asyncio.TimeoutError:
            return False
        return True

    async def _prepare_deactivation(self) -> None:
        if self._deactivating is None:
            return
        try:
            await self._deactivating()
        except Exception:
            logger.exception("The plugin's HTTP server did not stop as it should")

    async def _deactivate(self) -> None:
        try:
            await self._prepare_deactivation()
            await self._dispatcher.run(self._hooks["on_deactivate"])
        except (Exception, SystemExit):
            logger.exception("Hook on_deactivate failed", extra={"hook": "on_deactivate"})
        finally:
            self._deactivated.set()

    async def _first_configuration(self) -> None:
        if "on_configuration_change" not in self._implemented:
            return
        try:
            await self._dispatcher.run(self._hooks["on_configuration_change"])
        except (Exception, SystemExit):
            # As with a Go plugin: on_activate may still make something of it.
            logger.exception(
                "Hook on_configuration_change failed before on_activate",
                extra={"hook": "on_configuration_change"},
            )

    def _end_without_hook(self) -> None:
        self.state = State.ENDED
        self._deactivated.set()
