"""The messages that are written by hand are what protobuf makes of schema/proto."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.message_factory import GetMessages

from mattermost_plugin.http._messages import chunk_of, decode_head, encode_chunk, encode_head
from mattermost_plugin.http._serving import HTTPServers

PROTO = Path(__file__).parents[3] / "schema/proto"


@pytest.fixture(scope="module")
def messages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("descriptors") / "all.binpb"
    subprocess.run(
        [sys.executable, "-m", "grpc_tools.protoc", f"-I{PROTO}", f"--descriptor_set_out={out}"]
        + ["--include_imports"]
        + [f"mattermost/plugin/v1/{name}.proto" for name in ("api_scalar", "hooks_scalar")],
        check=True,
    )
    found: dict[str, Any] = GetMessages(list(FileDescriptorSet.FromString(out.read_bytes()).file))
    return {name.rpartition(".")[2]: message for name, message in found.items()}


def test_requests(messages: dict[str, Any]) -> None:
    headers = [(b"x-a", b"1"), (b"X-B", b"gr\xfcn"), (b"x-a", b"2" * 200)]

    head = messages["PluginHTTPRequest"].FromString(encode_head("POST", "/p/x?y", "p", headers)).head
    chunk = messages["PluginHTTPRequest"].FromString(encode_chunk(bytes(70_000)))

    assert (head.method, head.url, head.host) == ("POST", "/p/x?y", "p")
    values = {name: list(value.items) for name, value in head.header.items()}
    assert values == {"x-a": ["1", "2" * 200], "X-B": ["gr\u00fcn"]}
    assert chunk.chunk == bytes(70_000)


def test_responses(messages: dict[str, Any]) -> None:
    response = messages["PluginHTTPResponse"]()
    response.head.status_code = 418
    response.head.header["X-A"].items.extend(["1", "gr\u00fcn"])
    status, headers = decode_head(response.SerializeToString())
    chunk = messages["PluginHTTPResponse"](chunk=bytes(70_000))

    assert (status, headers) == (418, [(b"X-A", b"1"), (b"X-A", b"gr\xfcn")])
    assert chunk_of(chunk.SerializeToString()) == bytes(70_000)
    with pytest.raises(ValueError, match="does not begin with its head"):
        decode_head(chunk.SerializeToString())


def sockets_in(directory: Path) -> list[Path]:
    return [path for path in directory.iterdir() if path.is_socket()]


async def test_addresses(messages: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from mattermost_plugin import Plugin
    from mattermost_plugin._runtime.environment import Environment
    from mattermost_plugin.http import Router

    class Own(Plugin):
        http = Router()

    environment = Environment.read({"PLUGIN_UNIX_SOCKET_DIR": str(tmp_path)})
    servers = HTTPServers(Own(), environment, ("http",))
    await servers.start()
    try:
        answer = messages["ServeHTTPResponse"].FromString(servers.address("http"))
        assert answer.network == "unix"
        assert answer.address in {str(path) for path in sockets_in(tmp_path)}
        assert messages["ServeMetricsResponse"].FromString(servers.address("metrics")).network == ""
    finally:
        await servers.stop()


SMUGGLED = "GET /x HTTP/1.1\r\nMattermost-User-Id: someone\r\n\r\nGET"


@pytest.mark.parametrize(
    ("method", "url", "host", "headers"),
    [
        (SMUGGLED, "/p/x", "p", []),
        ("", "/p/x", "p", []),
        ("G\u00c4T", "/p/x", "p", []),
        ("GET", "/p/x HTTP/1.1\r\nX: y", "p", []),
        ("GET", "/p/x", "p\nX: y", []),
        ("GET", "/p/x", "p", [(b"X-A", b"x\r\nY: z")]),
        ("GET", "/p/x", "p", [(b"X-A", b"a\0b")]),
        ("GET", "/p/x", "p", [(b"X A", b"x")]),
        ("GET", "/p/x", "p", [(b"X-A:\r\nY", b"x")]),
    ],
)
def test_what_is_no_http_is_not_sent(
    method: str, url: str, host: str, headers: list[tuple[bytes, bytes]]
) -> None:
    with pytest.raises(ValueError, match=r"is no method|control character|is no name"):
        encode_head(method, url, host, headers)


@pytest.mark.parametrize("status", [0, 99, 100, 199, 1000])
def test_a_response_has_a_status(messages: dict[str, Any], status: int) -> None:
    response = messages["PluginHTTPResponse"]()
    response.head.status_code = status
    with pytest.raises(ValueError, match=f"has the status {status}"):
        decode_head(response.SerializeToString())


@pytest.mark.parametrize(("name", "value"), [("X-A", "x\r\nY: z"), ("X A", "x")])
def test_a_response_has_headers_of_http(messages: dict[str, Any], name: str, value: str) -> None:
    response = messages["PluginHTTPResponse"]()
    response.head.status_code = 200
    response.head.header[name].items.append(value)
    with pytest.raises(ValueError, match=r"control character|is no name"):
        decode_head(response.SerializeToString())
