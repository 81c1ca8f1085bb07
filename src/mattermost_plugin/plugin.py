"""The classes an author derives from."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from mattermost_plugin._gen.hook_methods import HOOKS
from mattermost_plugin._runtime.checks import check_hooks, check_settings
from mattermost_plugin._runtime.environment import Environment, leave_no_cookie, under_host
from mattermost_plugin._runtime.loop_watch import DEFAULT_LIMIT
from mattermost_plugin.hooks import HookMethods

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from pathlib import Path

    from mattermost_plugin._codec.methods import Method
    from mattermost_plugin._runtime.database import Database
    from mattermost_plugin._runtime.faces_blocking import LoopTransport
    from mattermost_plugin.api import API, AsyncAPI

__all__ = ["AsyncPlugin", "Plugin"]

_Configuration = TypeVar("_Configuration")

if under_host():
    # Already here, not in run(): what goes wrong while the author's module is imported belongs in the log as
    # one record, and what it prints must not be taken for the handshake.
    from mattermost_plugin._runtime.log import install

    install(Environment.read().log_level)


class _PluginBase(HookMethods):
    """What both kinds of plugin have: checked hooks, the bundle and the way to start."""

    # The hooks that the class overrides, in the contract's order.
    _hooks: ClassVar[tuple[Method, ...]] = ()

    # What the plugin serves under `/plugins/<id>/` of the server, and under `/plugins/<id>/metrics` of its
    # metrics listener: an ASGI or WSGI application, a `mattermost_plugin.http.Router`, or a method that
    # returns one. Of type Any because both an attribute and a method may stand for it.
    http: Any = None
    metrics: Any = None

    #: Seconds for which an event loop of the plugin may be blocked before the log has a warning with the
    #: stack of what blocks it; None or 0: no warning.
    loop_blocked_after: ClassVar[float | None] = DEFAULT_LIMIT

    #: Plain `def` hooks of an `AsyncPlugin` that run at once, each on a thread, before that is a warning.
    hook_threads: ClassVar[int] = 64

    #: Whether the process tunes Python's garbage collector when the plugin is loaded: what is loaded then is
    #: passed over from then on (`gc.freeze`), and cycles are searched after 20,000 new objects, unless the
    #: author has set a threshold. A list of 1,000 posts decodes in three quarters of the time; what is in a
    #: cycle is freed later. False: the collector stays as it is.
    collect_less_often: ClassVar[bool] = True

    # The way to the server's database, for `mattermost_plugin.sql`.
    _database: Database | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__module__ != __name__:
            cls._hooks = check_hooks(cls, HOOKS, _PluginBase)
            check_settings(cls)

    @property
    def plugin_id(self) -> str:
        """The manifest's id; empty when no host started this process."""
        return Environment.read().plugin_id

    @property
    def bundle_path(self) -> Path:
        """The directory of the unpacked bundle; the working directory when no host started this process."""
        from pathlib import Path

        return Path(Environment.read().bundle or ".").absolute()

    @property
    def manifest(self) -> dict[str, Any]:
        """The bundle's `plugin.json`.

        Raises:
            OSError: It cannot be read.
            ValueError: It is not JSON.
        """
        import json

        manifest: dict[str, Any] = json.loads((self.bundle_path / "plugin.json").read_text(encoding="utf-8"))
        return manifest

    def _fill(self, into: type[_Configuration], settings: dict[str, Any]) -> _Configuration:
        from mattermost_plugin._runtime.configuration import fill

        # There is none where no host started this process.
        known = (self.bundle_path / "plugin.json").is_file()
        return fill(into, settings, self.manifest if known else None)

    @classmethod
    def run(cls) -> None:
        """Serve this plugin to the host that started the process, until the host ends it.

        Call it at the end of the entrypoint, under `if __name__ == "__main__":`. Makes the one instance of
        the class, without arguments. Everything logged or printed from here on reaches the server's log.

        What it changes in the process, and not in children: SIGTERM ends the plugin in order, SIGINT is
        ignored, and the garbage collector is tuned if `collect_less_often` of the class says so.

        Raises:
            SystemExit: No host started this process (code 1, with a line on stderr that says what to do), or
                it cannot be served.
        """
        if not under_host():
            sys.stderr.write(
                f"{sys.argv[0] or cls.__name__} is a Mattermost plugin, which a Mattermost server starts: "
                "make a bundle with 'mattermost-plugin build' and upload it in System Console > Plugins.\n"
            )
            raise SystemExit(1)
        from mattermost_plugin._runtime.exit_watch import bound_exit
        from mattermost_plugin._runtime.log import install

        environment = Environment.read()
        install(environment.log_level)
        leave_no_cookie()
        environment.check_version()
        try:
            cls._serve(environment)
        finally:
            bound_exit()

    @classmethod
    def _serve(cls, environment: Environment) -> None:
        raise NotImplementedError


class Plugin(_PluginBase):
    """A plugin that blocks: hooks run on threads, several at once, and `self.api` returns results.

    Override the hooks you need. `async def` hooks run on one event loop in a thread of its own.
    """

    _api: API | None = None

    @property
    def api(self) -> API:
        """The server's API.

        Raises:
            NotConnected: There is no connection yet, or no more.
        """
        api = self._api
        if api is None:
            from mattermost_plugin._runtime.statuses import not_connected

            raise not_connected()
        return api

    def load_configuration(self, into: type[_Configuration]) -> _Configuration:
        """Return the plugin's settings as an instance of the dataclass `into`.

        A setting belongs to the field of the same letters, whatever their case: `WarnAfter` of the manifest
        to `warn_after`. Fields without a setting keep their default. Values are what the annotations say:
        see `docs/settings.md`.

        Args:
            into: A class made by `dataclasses.dataclass`.

        Returns:
            A new object. In its `repr`, texts of secret settings are `'***'`.

        Raises:
            TypeError: `into` is no dataclass, or has an annotation that a setting cannot have.
            SettingsError: Settings do not fit, or one without a default is missing.
            PluginError: The server could not be asked.
        """
        return self._fill(into, self.api.load_plugin_configuration())

    @classmethod
    def _serve(cls, environment: Environment) -> None:
        from mattermost_plugin._runtime.serve_threads import ThreadsRuntime

        ThreadsRuntime(cls(), environment).serve()


class AsyncPlugin(_PluginBase):
    """A plugin on asyncio: `async def` hooks run on one event loop, and `self.api` is awaited.

    Override the hooks you need. Plain `def` hooks run in worker threads, so that they may block: there, use
    `self.blocking_api`.
    """

    _api: AsyncAPI | None = None
    # What carries the calls of `blocking_api`.
    _blocking: LoopTransport | None = None

    @property
    def api(self) -> AsyncAPI:
        """The server's API, to be awaited.

        A `def` hook cannot await: it has `blocking_api`, and may hand coroutines of this API to the event
        loop. One that it drops fails the hook with an error that says so.

        Raises:
            NotConnected: There is no connection yet, or no more.
        """
        api = self._api
        if api is None:
            from mattermost_plugin._runtime.statuses import not_connected

            raise not_connected()
        from mattermost_plugin._runtime.unawaited import noting_api

        return noting_api(api)

    @property
    def blocking_api(self) -> API:
        """The server's API for `def` hooks and other threads: each call waits for its result.

        Raises:
            NotConnected: There is no connection yet, or no more.
            RuntimeError: From its methods, on the thread of the event loop, which would wait for itself.
        """
        transport = self._blocking
        if transport is None:
            from mattermost_plugin._runtime.statuses import not_connected

            raise not_connected()
        from mattermost_plugin.api import API

        return API(transport)

    def load_configuration(self, into: type[_Configuration]) -> Awaitable[_Configuration]:
        """Return the plugin's settings as an instance of the dataclass `into`.

        A setting belongs to the field of the same letters, whatever their case: `WarnAfter` of the manifest
        to `warn_after`. Fields without a setting keep their default. Values are what the annotations say:
        see `docs/settings.md`.

        Args:
            into: A class made by `dataclasses.dataclass`.

        Returns:
            A new object. In its `repr`, texts of secret settings are `'***'`.

        Raises:
            TypeError: `into` is no dataclass, or has an annotation that a setting cannot have.
            SettingsError: Settings do not fit, or one without a default is missing.
            PluginError: The server could not be asked.
        """
        from mattermost_plugin._runtime.unawaited import noting

        return noting("self.load_configuration", self._load)(into)

    async def _load(self, into: type[_Configuration]) -> _Configuration:
        return self._fill(into, await self.api.load_plugin_configuration())

    def load_configuration_blocking(self, into: type[_Configuration]) -> _Configuration:
        """Do what `load_configuration` does, in a `def` hook or another thread."""
        return self._fill(into, self.blocking_api.load_plugin_configuration())

    @classmethod
    def _serve(cls, environment: Environment) -> None:
        from mattermost_plugin._runtime.serve_asyncio import serve

        serve(cls, environment)
