"""Uses the compiled core where the distribution `mattermost-plugin-speed` is installed.

It is made from the very sources that lie here, or for them, and is used with no others: what it was compiled
from is compared. Without it, or where the environment variable `MATTERMOST_PLUGIN_PURE` is set, the sources
run.
"""

from __future__ import annotations

import functools
import os
import warnings
import zlib
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["compiled_folder", "compiled_layouts", "compiled_semaphores", "compiled_unary_frames"]


def compiled_folder(package: str) -> str | None:
    """Return the folder of a package's compiled modules, to be searched before its own; None: there is none.

    Args:
        package: Name of a package in this one.
    """
    core = _core()
    return None if core is None else f"{core}/{package}"


def compiled_layouts() -> ModuleType | None:
    """Return what carries out `mattermost_plugin._codec.compiled`; None: nothing does."""
    return _module("_layouts")


def compiled_semaphores() -> ModuleType | None:
    """Return what has the class of `mattermost_plugin._grpc.threads.semaphores`; None: nothing has."""
    return _module("_semaphores")


def compiled_unary_frames() -> ModuleType | None:
    """Return what has the functions of `mattermost_plugin._grpc.unary_frames`; None: nothing has."""
    return _module("_unary_frames")


def _module(name: str) -> ModuleType | None:
    if _core() is None:
        return None
    try:
        return import_module(f"mattermost_plugin_speed.{name}")
    except ImportError:
        return None  # compiled for another release of Python, or another platform


@functools.cache
def _core() -> str | None:
    """Return the folder of the compiled core, or None."""
    if os.environ.get("MATTERMOST_PLUGIN_PURE"):
        return None
    try:
        from mattermost_plugin_speed import __path__ as places
        from mattermost_plugin_speed._sources import SOURCES
    except ImportError:
        return None
    here = os.path.dirname(__file__)
    for name, checksum in SOURCES.items():
        with open(f"{here}/{name}.py", "rb") as file:
            if zlib.crc32(file.read()) != checksum:
                warnings.warn(
                    "mattermost-plugin-speed was compiled from another version of mattermost-plugin and is "
                    "not used; install the same version of both (in a checkout: make setup)",
                    RuntimeWarning,
                    stacklevel=2,
                )
                return None
    folder: str = places[0]
    return folder
