"""A plugin host as go-plugin is one, on grpcio: starts a real plugin process and calls its hooks.

grpcio is an independent gRPC implementation; the method tables turn values into bytes on this side too.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc

from mattermost_plugin._gen.api_methods import API
from mattermost_plugin._gen.hook_methods import HOOKS, IMPLEMENTED
from mattermost_plugin._runtime.environment import COOKIE_KEY, COOKIE_VALUE
from mattermost_plugin._runtime.wire import ConnInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

API_BROKER_ID = 7

_METHODS = {"implemented": IMPLEMENTED, **HOOKS}


def clean_environment(**extra: str) -> dict[str, str]:
    """This process's environment without what a host would set, and with `extra`."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PLUGIN_", "MATTERMOST_"))}
    if kept.pop("PYTHONDONTWRITEBYTECODE", ""):
        # Whoever sets it wants a clean tree, not hundreds of processes that compile every module anew.
        kept["PYTHONPYCACHEPREFIX"] = str(Path(tempfile.gettempdir()) / f"plugin-tests-pycache-{os.getuid()}")
    return {**kept, **extra}


class _ApiHandlers(grpc.GenericRpcHandler):
    def __init__(self, functions: dict[str, Callable[..., Any]]) -> None:
        self._functions = functions
        self._names = {method.path: name for name, method in API.items()}

    def service(self, details: Any) -> Any:
        name = self._names.get(details.method)
        if name is None or name not in self._functions:
            return None
        method = API[name]

        def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
            try:
                result = self._functions[name](*method.codec.decode_request(request))
            except grpc.RpcError:
                raise
            except Exception as error:  # noqa: BLE001 - what a test raises is what the plugin gets
                if method.codec.encode_error is None or isinstance(error, Abort):
                    code, text, metadata = getattr(error, "args", (grpc.StatusCode.INTERNAL, str(error), ()))
                    context.set_trailing_metadata(metadata)
                    context.abort(code, text)
                return method.codec.encode_error(error)
            return method.codec.encode_response(result)

        return grpc.unary_unary_rpc_method_handler(answer)


class Abort(Exception):
    """Raised by an API function of a test: fails the call itself with (code, text, metadata)."""


class Host:
    """Runs one plugin; use it as a context manager."""

    def __init__(
        self,
        code: str,
        *,
        api: dict[str, Callable[..., Any]] | None = None,
        environment: dict[str, str] | None = None,
        credentials: Any = None,
    ) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="host-", dir="/tmp"))
        self.entrypoint = self.directory / "plugin_main.py"
        self.entrypoint.write_text(textwrap.dedent(code))
        variables = {COOKIE_KEY: COOKIE_VALUE, "PLUGIN_UNIX_SOCKET_DIR": str(self.directory)}
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            [sys.executable, str(self.entrypoint)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=clean_environment(**{**variables, **(environment or {})}),
            cwd=self.directory,
        )
        self.stderr: list[str] = []
        self._stderr_reader = threading.Thread(target=self._read_stderr, daemon=True)
        self._stderr_reader.start()
        self.handshake = self.process.stdout.readline().decode()
        self.serving = time.perf_counter()
        self._credentials = credentials
        self._api_server = None
        self._api = api or {}
        self._announcements: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self.channel: grpc.Channel | None = None

    @property
    def address(self) -> str:
        return self.handshake.split("|")[3]

    def __enter__(self) -> Host:  # noqa: PYI034 - no subclasses
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            # pytest shows it with the failure.
            sys.stdout.write(f"exit code so far: {self.process.poll()}\n" + "".join(self.stderr))
        self.close()

    def close(self) -> None:
        self._announcements.put(None)
        if self.channel is not None:
            self.channel.close()
        if self._api_server is not None:
            self._api_server.stop(0).wait()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._stderr_reader.join()
        self.process.stdout.close()
        shutil.rmtree(self.directory)

    # What go-plugin's client does once it read the handshake.

    def connect(self) -> Host:
        assert self.handshake, "\n".join(self.stderr)
        target = f"unix:{self.address}"
        options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        if self._credentials is None:
            self.channel = grpc.insecure_channel(target, options)
        else:
            options.append(("grpc.ssl_target_name_override", "localhost"))
            self.channel = grpc.secure_channel(target, self._credentials(self.handshake), options)
        self._broker = self.channel.stream_stream("/plugin.GRPCBroker/StartStream")(
            iter(self._announcements.get, None)
        )
        return self

    def serve_api(self, server_credentials: Any = None) -> None:
        path = self.directory / "api.sock"
        self._api_server = grpc.server(ThreadPoolExecutor(8))
        self._api_server.add_generic_rpc_handlers((_ApiHandlers(self._api),))
        if server_credentials is None:
            self._api_server.add_insecure_port(f"unix:{path}")
        else:
            self._api_server.add_secure_port(f"unix:{path}", server_credentials)
        self._api_server.start()
        self._announcements.put(ConnInfo(API_BROKER_ID, "unix", str(path), knock=False).encode())

    def activate(self) -> Any:
        if self.channel is None:
            self.connect()
        self.serve_api()
        return self.hook("on_activate", API_BROKER_ID, 0, "11.4.0")

    def hook(self, name: str, *arguments: Any, timeout: float = 60.0) -> Any:
        method = _METHODS[name]
        response = self.raw(method.path, method.codec.encode_request(*arguments), timeout=timeout)
        return method.codec.decode_response(response)

    def raw(self, path: str, request: bytes = b"", *, timeout: float = 60.0) -> bytes:
        return self.channel.unary_unary(path)(request, timeout=timeout)

    def shutdown(self) -> int:
        """Ask for the end as go-plugin does; return the exit code."""
        self.raw("/plugin.GRPCController/Shutdown")
        return self.wait()

    def wait(self, timeout: float = 60.0) -> int:
        code = self.process.wait(timeout)
        self._stderr_reader.join()
        return code

    # What the plugin wrote.

    @property
    def log(self) -> list[dict[str, Any]]:
        """The log lines so far, without the runtime's own debug lines."""
        lines = [json.loads(line) for line in list(self.stderr) if line.startswith("{")]
        return [line for line in lines if line["@level"] != "debug"]

    def messages(self) -> list[str]:
        return [line["@message"] for line in self.log]

    def wait_for_log(self, text: str, timeout: float = 30.0) -> dict[str, Any]:
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            for line in self.log:
                if text in line["@message"]:
                    return line
            time.sleep(0.01)
        raise AssertionError(f"{text!r} not in:\n" + "\n".join(self.stderr))

    def _read_stderr(self) -> None:
        for line in self.process.stderr:
            self.stderr.append(line.decode())
        self.process.stderr.close()


@contextlib.contextmanager
def active(code: str, **options: Any) -> Iterator[Host]:
    """A plugin that is activated; it is killed at the end."""
    with Host(code, **options) as host:
        host.activate()
        yield host
