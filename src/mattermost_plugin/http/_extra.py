"""The packages of the extras `http` and `httpx`, which not every plugin needs."""

from __future__ import annotations

from importlib.util import find_spec

__all__ = ["need"]


def need(package: str, extra: str = "http") -> None:
    """See that a package is there.

    Raises:
        ModuleNotFoundError: It is not; the message says what to install.
    """
    if find_spec(package) is None:
        raise ModuleNotFoundError(
            f"HTTP needs the package {package}: add mattermost-plugin[{extra}] to the plugin's requirements",
            name=package,
        )
