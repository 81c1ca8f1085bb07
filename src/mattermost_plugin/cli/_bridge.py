"""Finding the bridge executable for a platform."""

from pathlib import Path

import mattermost_plugin
from mattermost_plugin.cli._bridge_source import BridgeBuildError, cached_bridge
from mattermost_plugin.cli._platforms import Platform
from mattermost_plugin.cli._problems import BuildError, Problem

__all__ = ["bridge_for"]


def bridge_for(platform: Platform) -> Path:
    """Return the bridge for `platform`: the one this installation carries, else one built from the checkout.

    Raises:
        BuildError: this installation has none for it, or building it failed.
    """
    package = Path(mattermost_plugin.__path__[0])
    carried = package / "_bridge" / f"bridge-{platform}"
    if carried.is_file():
        return carried
    checkout = package.parent.parent / "go"
    if (checkout / "cmd" / "bridge").is_dir():
        try:
            return cached_bridge(checkout, str(platform))
        except BridgeBuildError as error:
            raise BuildError(Problem(what=str(error))) from error
    has = ", ".join(sorted(path.name.removeprefix("bridge-") for path in package.glob("_bridge/bridge-*")))
    raise BuildError(
        Problem(
            what=f"this installation of the SDK has no bridge for {platform} (it has: {has or 'none'})",
            fix="install a released wheel, which carries all, or in a checkout of the sources "
            "run `make wheel` and install the wheel it makes",
        )
    )
