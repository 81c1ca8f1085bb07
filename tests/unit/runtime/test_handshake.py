"""Where a plugin listens and who may connect."""

from __future__ import annotations

import grp
import os
import stat
import warnings
from pathlib import Path

import pytest

from mattermost_plugin._grpc.addresses import PeerCredentials
from mattermost_plugin._runtime.environment import Environment
from mattermost_plugin._runtime.handshake import SocketPath
from mattermost_plugin._runtime.wire import SERVING
from tests.unit.runtime.host import Host
from tests.unit.runtime.kinds import KINDS, plugin_code

US, OURS = os.getuid(), os.getgid()


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.mark.parametrize(
    ("group", "uid", "gid", "accepted"),
    [
        ("", US, OURS, True),
        ("", US, OURS + 1, True),
        ("", US + 1, OURS, False),
        (str(OURS), US + 1, OURS, True),
        (grp.getgrgid(OURS).gr_name, US + 1, OURS, True),
        (str(OURS), US + 1, OURS + 1, False),
    ],
)
def test_only_this_user_and_the_hosts_group_may_connect(tmp_path, group, uid, gid, accepted):
    variables = {"PLUGIN_UNIX_SOCKET_DIR": str(tmp_path), "PLUGIN_UNIX_SOCKET_GROUP": group}
    place = SocketPath(Environment.read(variables))
    assert place.accepts(PeerCredentials(1, uid, gid)) is accepted


def test_the_hosts_group_may_write_to_the_socket(kind):
    with Host(plugin_code(kind, ""), environment={"PLUGIN_UNIX_SOCKET_GROUP": str(OURS)}) as host:
        status = Path(host.address).stat()
        assert stat.S_IMODE(status.st_mode) == 0o660
        assert status.st_gid == OURS
        assert host.connect().raw("/grpc.health.v1.Health/Check") == SERVING


@pytest.mark.skipif(US != 0, reason="only root can become somebody else")
def test_another_user_is_turned_away_by_the_plugin_itself(kind):
    with Host(plugin_code(kind, "")) as host:
        # The file system lets everybody in: what remains is what the kernel says of the peer.
        host.directory.chmod(0o755)
        Path(host.address).chmod(0o666)
        reader, writer = os.pipe()
        # Not a new program: another user may not be allowed to read this interpreter.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            os.setgid(65534)
            os.setuid(65534)
            import socket

            client = socket.socket(socket.AF_UNIX)
            client.settimeout(60)
            client.connect(host.address)
            try:
                client.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
                answer = client.recv(100)
            except OSError:
                answer = b""
            os.write(writer, b"served" if answer else b"refused")
            os._exit(0)
        os.waitpid(child, 0)
        os.close(writer)
        with os.fdopen(reader, "rb") as result:
            assert result.read() == b"refused"
        assert host.connect().raw("/grpc.health.v1.Health/Check") == SERVING
