"""A plugin on a running server, from upload to removal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psutil

from tests.harness.log import DEFAULT_TIMEOUT

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

    from tests.harness.log import LogRecord
    from tests.harness.rest import Json
    from tests.harness.server import MattermostServer

__all__ = ["InstalledPlugin", "PluginStartError", "PluginState"]


class PluginState:
    """The states of a plugin that the server reports (`PluginState...` in Go)."""

    NOT_RUNNING = 0
    STARTING = 1
    RUNNING = 2
    FAILED_TO_START = 3
    FAILED_TO_STAY_RUNNING = 4
    STOPPING = 5


class PluginStartError(AssertionError):
    """A plugin did not start; the message has the error in its status, and its log."""


class InstalledPlugin:
    """An uploaded plugin; a context manager that removes it.

    Args:
        server: Where to upload it.
        bundle: The `.tar.gz`; an older version of the same plugin is replaced.

    Attributes:
        id: The plugin's id.
        manifest: The manifest as the server understood it.
    """

    def __init__(self, server: MattermostServer, bundle: Path) -> None:
        self._server = server
        self._mark = server.log.mark()
        self.manifest: Json = server.admin.upload_plugin(bundle)
        self.id: str = self.manifest["id"]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()

    def enable(self) -> None:
        """Enable the plugin; it runs when this returns.

        Raises:
            PluginStartError: It did not start.
        """
        self._mark = self._server.log.mark()
        self._server.admin.post(f"plugins/{self.id}/enable")
        status = self.status()
        if status["state"] != PluginState.RUNNING:
            log = "\n".join(f"  {record}" for record in self.log())
            raise PluginStartError(f"{self.id}: {status['error']}\nIts log:\n{log}")

    def disable(self) -> None:
        """Disable the plugin; it has stopped when this returns."""
        self._server.admin.post(f"plugins/{self.id}/disable")

    def remove(self) -> None:
        """Stop and remove the plugin, and forget its configuration."""
        self._server.admin.delete(f"plugins/{self.id}")
        self.forget_configuration()

    def forget_configuration(self) -> None:
        """Set all settings of the plugin back to their defaults."""
        admin = self._server.admin
        config = admin.get("config")
        # A patch cannot take a key away.
        if config["PluginSettings"]["Plugins"].pop(self.id, None) is not None:
            admin.put("config", config)

    def status(self) -> Json:
        """Return the server's status of the plugin: `state`, `error`, `version`, ..."""
        statuses: list[Json] = self._server.admin.get("plugins/statuses")
        return next(status for status in statuses if status["plugin_id"] == self.id)

    def configure(self, **settings: Any) -> None:
        """Change settings of the plugin, as the System Console does: the others keep their values."""
        admin = self._server.admin
        current = admin.get("config")["PluginSettings"]["Plugins"].get(self.id, {})
        # A patch replaces what the plugin had before, so all of it must be sent.
        admin.patch_config({"PluginSettings": {"Plugins": {self.id: {**current, **settings}}}})

    def log(self, text: str = "", /, *, level: str = "") -> list[LogRecord]:
        """Return the plugin's log records since it was last enabled."""
        return self._server.log.find(text, level=level, since=self._mark, plugin_id=self.id)

    def wait_for_log(
        self,
        text: str = "",
        /,
        *,
        level: str = "",
        since: int | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        **fields: Any,
    ) -> LogRecord:
        """Wait for a log record of the plugin; see :meth:`ServerLog.wait_for`.

        A server loses what is logged while it sets its log up anew, which it does at each change of its
        configuration, as when a plugin is enabled. So this is not for seeing that `enable` did what it says.

        Args:
            text: What the message contains.
            level: The record's level; empty for any.
            since: A mark of the server's log; None for when the plugin was last enabled.
            timeout: Seconds to wait.
            fields: Fields the record must have with these values.
        """
        start = self._mark if since is None else since
        return self._server.log.wait_for(
            text, level=level, since=start, timeout=timeout, plugin_id=self.id, **fields
        )

    def processes(self) -> list[psutil.Process]:
        """Return the processes of the plugin: its executable and what that has started."""
        folder = str(self._server.directory / "plugins" / self.id)
        return [process for process in self._server.descendants() if _runs_in(process, folder)]


def _runs_in(process: psutil.Process, folder: str) -> bool:
    try:
        return process.cwd() == folder or any(word.startswith(folder) for word in process.cmdline())
    except psutil.NoSuchProcess:  # it ended while we looked
        return False
