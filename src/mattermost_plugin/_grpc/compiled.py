"""Uses the core as compiled modules where the distribution `mattermost-plugin-speed` is installed.

They are made from the very sources that lie here, and nothing else than these makes them be used: what they
were compiled from is compared. Without them, or where the environment variable `MATTERMOST_PLUGIN_PURE` is
set, the sources run.
"""

from __future__ import annotations

import os
import warnings
import zlib

__all__ = ["compiled_core"]


def compiled_core(folder: str) -> str | None:
    """Return the folder of the compiled modules, to be searched before `folder`; None: there are none.

    Args:
        folder: where the sources are.
    """
    if os.environ.get("MATTERMOST_PLUGIN_PURE"):
        return None
    try:
        from mattermost_plugin_speed import __path__ as places
        from mattermost_plugin_speed._sources import SOURCES
    except ImportError:
        return None
    for name, checksum in SOURCES.items():
        with open(f"{folder}/{name}.py", "rb") as file:
            if zlib.crc32(file.read()) != checksum:
                warnings.warn(
                    "mattermost-plugin-speed was compiled from another version of mattermost-plugin and is "
                    "not used; install the same version of both (in a checkout: make setup)",
                    RuntimeWarning,
                    stacklevel=2,
                )
                return None
    return f"{places[0]}/_grpc"
