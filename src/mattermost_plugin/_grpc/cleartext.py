"""What lies between a connection and its socket: nothing, unless it is TLS."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl

__all__ = ["Cleartext", "TLSFault", "layer"]


class TLSFault(Exception):
    """The peer broke the rules of TLS, or is not trusted."""


class Cleartext:
    """Passes octets through."""

    @property
    def pending(self) -> bool:
        """Whether `encrypt` would return something without being given anything."""
        return False

    def decrypt(self, data: bytes) -> bytes:
        """Return octets of the connection for octets of the wire.

        Raises:
            TLSFault: they are not valid.
        """
        return data

    def encrypt(self, data: bytes) -> bytes:
        """Return octets of the wire for octets of the connection."""
        return data


def layer(
    context: ssl.SSLContext | None, *, server_side: bool, server_hostname: str | None = None
) -> Cleartext:
    """Return TLS with a context, nothing without one."""
    if context is None:
        return Cleartext()
    # Most plugins never use TLS, and `ssl` takes its time to load.
    from mattermost_plugin._grpc.tls import TLS

    return TLS(context, server_side=server_side, server_hostname=server_hostname)
