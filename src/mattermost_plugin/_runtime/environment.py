"""What a host tells a plugin process through its environment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from mattermost_plugin._logger import get_logger

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["COOKIE_KEY", "COOKIE_VALUE", "PROTOCOL_VERSION", "Environment", "leave_no_cookie", "under_host"]

# go-plugin's handshake with Mattermost. These never change: every server ever released expects them.
COOKIE_KEY = "MATTERMOST_PLUGIN"
COOKIE_VALUE = "Securely message teams, anywhere."
PROTOCOL_VERSION = 1


class Environment(NamedTuple):
    """The variables a host sets, read once.

    Attributes:
        plugin_id: The manifest's id; empty when the host does not say.
        bundle: Absolute path of the unpacked bundle; empty when the host does not say.
        log_level: Lowest level worth sending; empty: debug.
        socket_dir: Directory for the plugin's socket; empty: make one.
        socket_group: Group (name or number) that may connect too; empty: only this user.
        client_certificate: The host's certificate (PEM) when it asks for AutoMTLS; else empty.
        protocol_versions: Versions the host accepts; empty when it does not say.
    """

    plugin_id: str
    bundle: str
    log_level: str
    socket_dir: str
    socket_group: str
    client_certificate: str
    protocol_versions: str

    @classmethod
    def read(cls, variables: Mapping[str, str] = os.environ) -> Environment:
        """Read the variables of this process."""
        get = variables.get
        return cls(
            plugin_id=get("MATTERMOST_PLUGIN_ID", ""),
            bundle=get("MATTERMOST_PLUGIN_BUNDLE", ""),
            log_level=get("MATTERMOST_PLUGIN_LOG_LEVEL", ""),
            socket_dir=get("PLUGIN_UNIX_SOCKET_DIR", ""),
            socket_group=get("PLUGIN_UNIX_SOCKET_GROUP", ""),
            client_certificate=get("PLUGIN_CLIENT_CERT", ""),
            protocol_versions=get("PLUGIN_PROTOCOL_VERSIONS", ""),
        )

    def check_version(self) -> None:
        """Log it when the host does not speak our version; the host itself refuses the handshake."""
        versions = [part.strip() for part in self.protocol_versions.split(",") if part.strip()]
        if versions and str(PROTOCOL_VERSION) not in versions:
            get_logger("mattermost_plugin").error(
                "The host speaks the plugin protocol in version %s, this plugin in version %d",
                " or ".join(versions),
                PROTOCOL_VERSION,
            )


def under_host() -> bool:
    """Whether a plugin host started this process."""
    return os.environ.get(COOKIE_KEY) == COOKIE_VALUE


def leave_no_cookie() -> None:
    """Take the cookie out of the environment: a program this process starts is no plugin of the host."""
    os.environ.pop(COOKIE_KEY, None)
