"""AutoMTLS: both sides make a certificate for this one process and trust nothing else."""

from __future__ import annotations

import base64
import datetime as dt
import os
import ssl
import tempfile
from typing import TYPE_CHECKING

from mattermost_plugin.errors import NotSupported

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import Certificate

__all__ = ["Identity"]

# The name that both certificates carry and both sides check; go-plugin's hosts know no other.
_NAME = "localhost"

_LIFETIME = dt.timedelta(days=365 * 30)
_CLOCK_SKEW = dt.timedelta(minutes=5)


class Identity:
    """A key and certificate of this process, and the host's certificate as the only one trusted.

    Attributes:
        certificate_field: The certificate as the handshake line carries it.
    """

    def __init__(self, host_certificate: str) -> None:
        """Make the key and certificate.

        Args:
            host_certificate: The host's certificate in PEM, from `PLUGIN_CLIENT_CERT`.

        Raises:
            NotSupported: The `cryptography` package is missing.
        """
        try:
            from cryptography.hazmat.primitives import serialization
            from cryptography.hazmat.primitives.asymmetric import ec
        except ImportError as error:
            raise NotSupported(
                "the host asks for encrypted connections (AutoMTLS), which need the 'cryptography' package: "
                "install mattermost-plugin[tls]"
            ) from error
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _self_signed(key)
        pem = serialization.Encoding.PEM
        self._host_certificate = host_certificate
        self._chain = certificate.public_bytes(pem) + key.private_bytes(
            pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        der = certificate.public_bytes(serialization.Encoding.DER)
        # Go's RawStdEncoding: without padding.
        self.certificate_field = base64.b64encode(der).decode().rstrip("=")

    def server_context(self) -> ssl.SSLContext:
        """Return the context for serving: the client must show the host's certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.verify_mode = ssl.CERT_REQUIRED
        return self._prepared(context)

    def client_context(self) -> ssl.SSLContext:
        """Return the context for calling the host."""
        return self._prepared(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))

    def _prepared(self, context: ssl.SSLContext) -> ssl.SSLContext:
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["h2"])
        context.load_verify_locations(cadata=self._host_certificate)
        # `ssl` reads keys from files only; this one is readable by nobody else and gone at once.
        fd, path = tempfile.mkstemp(prefix="plugin-", suffix=".pem")
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(self._chain)
            context.load_cert_chain(path)
        finally:
            os.unlink(path)
        return context


def _self_signed(key: EllipticCurvePrivateKey) -> Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _NAME)])
    now = dt.datetime.now(dt.timezone.utc)
    usage = x509.KeyUsage(
        digital_signature=True,
        key_encipherment=True,
        key_agreement=True,
        key_cert_sign=True,
        content_commitment=False,
        data_encipherment=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(_NAME)]), critical=False)
        .add_extension(usage, critical=True)
        .add_extension(purposes, critical=False)
        .sign(key, hashes.SHA256())
    )
