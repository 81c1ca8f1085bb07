"""Write Mattermost server plugins in Python.

::

    from mattermost_plugin import Context, Plugin, Post, Reject


    class Moderator(Plugin):
        def message_will_be_posted(self, context: Context, post: Post) -> Post | Reject | None:
            if "badword" in post.message:
                return Reject("Please keep it friendly.")
            return None


    if __name__ == "__main__":
        Moderator.run()

Names are imported when they are first used, so a plugin pays only for what it takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mattermost_plugin import models as _models
from mattermost_plugin._version import __version__

if TYPE_CHECKING:
    from mattermost_plugin.api import API, AsyncAPI
    from mattermost_plugin.errors import (
        AppError,
        BadRequest,
        CallFailed,
        Conflict,
        ContentTooLarge,
        DatabaseError,
        DeadlineExceeded,
        Forbidden,
        InternalServerError,
        NotConnected,
        NotFound,
        NotSupported,
        PluginError,
        ServerError,
        SettingsError,
        TooManyRequests,
        Unauthorized,
        Unavailable,
        UsedAfterFork,
        UserError,
    )
    from mattermost_plugin.models import *  # noqa: F403 - the generated module lists its names
    from mattermost_plugin.plugin import AsyncPlugin, Plugin
    from mattermost_plugin.reject import Reject

_HOMES = {
    "API": "api",
    "AppError": "errors",
    "AsyncAPI": "api",
    "AsyncPlugin": "plugin",
    "BadRequest": "errors",
    "CallFailed": "errors",
    "Conflict": "errors",
    "ContentTooLarge": "errors",
    "DatabaseError": "errors",
    "DeadlineExceeded": "errors",
    "Forbidden": "errors",
    "InternalServerError": "errors",
    "NotConnected": "errors",
    "NotFound": "errors",
    "NotSupported": "errors",
    "Plugin": "plugin",
    "PluginError": "errors",
    "Reject": "reject",
    "ServerError": "errors",
    "SettingsError": "errors",
    "TooManyRequests": "errors",
    "Unauthorized": "errors",
    "Unavailable": "errors",
    "UserError": "errors",
    "UsedAfterFork": "errors",
}

__all__ = [
    "API",
    "AppError",
    "AsyncAPI",
    "AsyncPlugin",
    "BadRequest",
    "CallFailed",
    "Conflict",
    "ContentTooLarge",
    "DatabaseError",
    "DeadlineExceeded",
    "Forbidden",
    "InternalServerError",
    "NotConnected",
    "NotFound",
    "NotSupported",
    "Plugin",
    "PluginError",
    "Reject",
    "ServerError",
    "SettingsError",
    "TooManyRequests",
    "Unauthorized",
    "Unavailable",
    "UsedAfterFork",
    "UserError",
    "__version__",
]
__all__ += _models.__all__


if not TYPE_CHECKING:  # or else a type checker takes every name for one of this module

    def __getattr__(name: str) -> object:
        from importlib import import_module

        home = _HOMES.get(name)
        if home is not None:
            value: object = getattr(import_module(f"{__name__}.{home}"), name)
        elif name in _models._MODULES:
            value = getattr(_models, name)
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
