"""AutoMTLS, with certificates made as go-plugin makes them."""

from __future__ import annotations

import base64
import datetime as dt
import ssl

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from mattermost_plugin import Context, Post
from tests.unit.runtime.host import API_BROKER_ID, Host
from tests.unit.runtime.kinds import KINDS, plugin_code

CODE = """
def message_will_be_posted(self, ctx, post):
    return Post(message=self.api.get_server_version())
"""


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


class HostIdentity:
    """Key and certificate of a host: P-521, self-signed, for localhost."""

    def __init__(self) -> None:
        key = ec.generate_private_key(ec.SECP521R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
        now = dt.datetime.now(dt.timezone.utc)
        usage = dict.fromkeys(("content_commitment", "data_encipherment", "crl_sign"), False)
        usage |= dict.fromkeys(("encipher_only", "decipher_only"), False)
        usage |= dict.fromkeys(
            ("digital_signature", "key_encipherment", "key_agreement", "key_cert_sign"), True
        )
        purposes = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(seconds=30))
            .not_valid_after(now + dt.timedelta(days=10000))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
            .add_extension(x509.KeyUsage(**usage), critical=True)
            .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
            .sign(key, hashes.SHA512())
        )
        self.certificate = certificate.public_bytes(serialization.Encoding.PEM)
        self.key = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )

    def channel(self, handshake: str) -> grpc.ChannelCredentials:
        return grpc.ssl_channel_credentials(plugin_certificate(handshake), self.key, self.certificate)

    def server(self, handshake: str) -> grpc.ServerCredentials:
        return grpc.ssl_server_credentials(
            [(self.key, self.certificate)], plugin_certificate(handshake), require_client_auth=True
        )


def plugin_certificate(handshake: str) -> bytes:
    """The certificate in the handshake line, as go-plugin reads it: base64 of DER without padding."""
    field = handshake.rstrip("\n").split("|")[5]
    assert "=" not in field
    assert len(field) > 50
    der = base64.b64decode(field + "=" * (-len(field) % 4), validate=True)
    return ssl.DER_cert_to_PEM_cert(der).encode()


def test_hooks_and_api_calls_are_encrypted_when_the_host_asks_for_it(kind):
    identity = HostIdentity()
    with Host(
        plugin_code(kind, CODE),
        api={"get_server_version": lambda: "11.4.0"},
        environment={"PLUGIN_CLIENT_CERT": identity.certificate.decode()},
        credentials=identity.channel,
    ) as host:
        host.connect()
        host.serve_api(identity.server(host.handshake))
        assert host.hook("on_activate", API_BROKER_ID, 0, "") is None
        assert host.hook("message_will_be_posted", Context(), Post()).message == "11.4.0"
        assert host.shutdown() == 0


def test_a_client_with_another_certificate_is_refused(kind):
    identity, stranger = HostIdentity(), HostIdentity()
    with Host(
        plugin_code(kind, CODE),
        environment={"PLUGIN_CLIENT_CERT": identity.certificate.decode()},
        credentials=stranger.channel,
    ) as host:
        host.connect()
        with pytest.raises(grpc.RpcError) as caught:
            host.hook("implemented")
        assert caught.value.code() == grpc.StatusCode.UNAVAILABLE


def test_a_client_without_encryption_is_refused(kind):
    environment = {"PLUGIN_CLIENT_CERT": HostIdentity().certificate.decode()}
    with Host(plugin_code(kind, CODE), environment=environment) as host:
        host.connect()
        with pytest.raises(grpc.RpcError) as caught:
            host.hook("implemented")
        assert caught.value.code() == grpc.StatusCode.UNAVAILABLE


def test_without_the_cryptography_package_the_way_out_is_named(kind):
    code = plugin_code(kind, CODE, before="sys.modules['cryptography.hazmat.primitives'] = None")
    with Host(code, environment={"PLUGIN_CLIENT_CERT": HostIdentity().certificate.decode()}) as host:
        assert host.handshake == ""
        assert host.wait() == 1
        assert "install mattermost-plugin[tls]" in host.log[0]["@message"]


def test_the_private_key_does_not_stay_on_disk(kind, tmp_path):
    environment = {"PLUGIN_CLIENT_CERT": HostIdentity().certificate.decode(), "TMPDIR": str(tmp_path)}
    with Host(plugin_code(kind, CODE), environment=environment) as host:
        assert host.handshake != ""
        assert list(tmp_path.iterdir()) == []
