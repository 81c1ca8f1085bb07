"""Where the plugin listens, and the line that tells the host so."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from mattermost_plugin._runtime.environment import PROTOCOL_VERSION

if TYPE_CHECKING:
    from mattermost_plugin._grpc.addresses import PeerCredentials
    from mattermost_plugin._runtime.environment import Environment

__all__ = ["SocketPath", "announce", "handshake_line"]

CORE_PROTOCOL_VERSION = 1

# sun_path holds 108 bytes on Linux and 104 on macOS, the final zero included.
_LONGEST_PATH = 103


class SocketPath:
    """A place for the plugin's Unix socket that only its owner reaches; removed by `close`."""

    def __init__(self, environment: Environment) -> None:
        """Choose the place: the host's directory, else a new one of mode 0700.

        Raises:
            OSError: No directory could be made, or the path is too long for a socket.
        """
        name = f"plugin-{os.urandom(6).hex()}"
        self._own_directory: str | None = None
        self._group = environment.socket_group
        if environment.socket_dir:
            self.path = os.path.join(environment.socket_dir, name)
        else:
            directory = os.path.join(os.environ.get("TMPDIR") or "/tmp", name)
            os.mkdir(directory, 0o700)
            self._own_directory = directory
            self.path = f"{directory}/socket"
        if len(os.fsencode(self.path)) > _LONGEST_PATH:
            path = self.path
            self.close()
            raise OSError(
                f"the path for the plugin's socket is longer than {_LONGEST_PATH} bytes: {path}; "
                "set TMPDIR (or PLUGIN_UNIX_SOCKET_DIR) to a shorter directory"
            )

    @property
    def group(self) -> int | None:
        """The group that may connect besides this user, as the host asked; None: nobody else."""
        if not self._group:
            return None
        if self._group.isdecimal():
            return int(self._group)
        import grp

        return grp.getgrnam(self._group).gr_gid

    def open_to_group(self) -> None:
        """Let the group that the host named connect to the socket, once it exists."""
        group = self.group
        if group is None:
            os.chmod(self.path, 0o600)
        else:
            os.chown(self.path, -1, group)
            os.chmod(self.path, 0o660)

    def accepts(self, peer: PeerCredentials) -> bool:
        """Whether a process may connect: one of this user's, or of the group that the host named."""
        return peer.uid == os.getuid() or (self._group != "" and peer.gid == self.group)

    def close(self) -> None:
        """Remove the socket and the directory made for it."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        if self._own_directory is not None:
            with contextlib.suppress(FileNotFoundError):
                os.rmdir(self._own_directory)


def handshake_line(path: str, certificate: str = "") -> str:
    """Return go-plugin's handshake: `core|protocol|network|address|kind|certificate`."""
    return f"{CORE_PROTOCOL_VERSION}|{PROTOCOL_VERSION}|unix|{path}|grpc|{certificate}\n"


def announce(path: str, certificate: str = "") -> None:
    """Tell the host where the plugin listens, then turn stdout over to the log.

    The host reads one line from stdout and drops the rest. File descriptor 1 therefore becomes a copy of 2,
    so that what child processes and C libraries print reaches the log as well.
    """
    line = handshake_line(path, certificate).encode()
    while line:
        line = line[os.write(1, line) :]
    os.dup2(2, 1)
