"""Finding the bridge executable for a platform."""

from collections.abc import Callable
from pathlib import Path

import mattermost_plugin
from mattermost_plugin.cli._bridge_source import BridgeBuildError, cached_bridge, cached_licences
from mattermost_plugin.cli._platforms import Platform
from mattermost_plugin.cli._problems import BuildError, Problem

__all__ = ["bridge_for", "bridge_licences"]


def bridge_for(platform: Platform) -> Path:
    """Return the bridge for `platform`: the one this installation carries, else one built from the checkout.

    Raises:
        BuildError: this installation has none for it, or building it failed.
    """
    found = _find(f"bridge-{platform}", lambda sources: cached_bridge(sources, str(platform)))
    if found is not None:
        return found
    bridges = sorted(_package().glob("_bridge/bridge-*"))
    has = ", ".join(path.name.removeprefix("bridge-") for path in bridges)
    raise BuildError(
        Problem(
            what=f"this installation of the SDK has no bridge for {platform} (it has: {has or 'none'})",
            fix="install a released wheel, which carries all, or in a checkout of the sources "
            "run `make wheel` and install the wheel it makes",
        )
    )


def bridge_licences() -> Path:
    """Return the file with the licences of what the bridges are compiled from.

    Raises:
        BuildError: this installation has none, or collecting them failed.
    """
    found = _find("LICENSES.txt", cached_licences)
    if found is None:
        raise BuildError(
            Problem(what="this installation of the SDK has no bridge", fix="install a released wheel")
        )
    return found


def _find(name: str, build: Callable[[Path], Path]) -> Path | None:
    carried = _package() / "_bridge" / name
    if carried.is_file():
        return carried
    checkout = _package().parent.parent / "go"
    if not (checkout / "cmd" / "bridge").is_dir():
        return None
    try:
        return build(checkout)
    except BridgeBuildError as error:
        raise BuildError(Problem(what=str(error))) from error


def _package() -> Path:
    return Path(mattermost_plugin.__path__[0])
