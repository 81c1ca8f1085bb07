"""TLS without a socket, for the threads driver: octets of the wire to octets of the connection, and back."""

from __future__ import annotations

import ssl
from typing import Final

from mattermost_plugin._grpc.cleartext import Cleartext, TLSFault

__all__ = ["TLS"]

_READ_AT_ONCE: Final = 1 << 18


class TLS(Cleartext):
    """One TLS connection; octets for the peer wait until the handshake is done.

    Args:
        context: certificates and rules.
        server_side: which side this is.
        server_hostname: what a client expects the server's certificate to be for.
    """

    def __init__(
        self, context: ssl.SSLContext, *, server_side: bool, server_hostname: str | None = None
    ) -> None:
        context.set_alpn_protocols(["h2"])
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._ssl = context.wrap_bio(
            self._incoming, self._outgoing, server_side=server_side, server_hostname=server_hostname
        )
        self._established = False
        self._early: list[bytes] = []
        if not server_side:
            self._shake_hands()

    @property
    def pending(self) -> bool:
        """Whether the handshake has something to say."""
        return self._outgoing.pending > 0

    def decrypt(self, data: bytes) -> bytes:
        """Return octets of the connection for octets of the wire, going on with the handshake."""
        self._incoming.write(data)
        parts: list[bytes] = []
        try:
            if not self._established:
                self._shake_hands()
            while self._established and (part := self._ssl.read(_READ_AT_ONCE)):
                parts.append(part)
        except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            return b"".join(parts)
        except ssl.SSLError as error:
            raise TLSFault(str(error)) from error
        return b"".join(parts)

    def encrypt(self, data: bytes) -> bytes:
        """Return octets of the wire, those of the handshake among them."""
        if not self._established:
            if data:
                self._early.append(data)
        elif data:
            self._ssl.write(data)
        return self._outgoing.read()

    def _shake_hands(self) -> None:
        try:
            self._ssl.do_handshake()
        except ssl.SSLWantReadError:
            return
        self._established = True
        for data in self._early:
            self._ssl.write(data)
        self._early.clear()
