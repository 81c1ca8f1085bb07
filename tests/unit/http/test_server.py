"""uvicorn on a Unix socket, as the host finds it."""

from __future__ import annotations

import asyncio
import base64
import logging
import os
import stat
import threading
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse

from mattermost_plugin import Context
from mattermost_plugin._codec.messages import encode_message
from mattermost_plugin._codec.plans import plan_of
from mattermost_plugin._runtime.environment import Environment
from mattermost_plugin._runtime.handshake import SocketPath
from mattermost_plugin.http import Request, Response, Router, request_context, request_info, request_user_id
from mattermost_plugin.http._server import HTTPServer, HTTPStartError
from mattermost_plugin.http._wsgi import WSGIAdapter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from mattermost_plugin.http._asgi import ASGIApp

PLUGIN = object()


def environment(directory: Path) -> Environment:
    return Environment.read({"PLUGIN_UNIX_SOCKET_DIR": str(directory)})


@asynccontextmanager
async def serving(app: ASGIApp, directory: Path) -> AsyncIterator[httpx.AsyncClient]:
    server = HTTPServer(app, PLUGIN, environment(directory))
    await server.start()
    try:
        transport = httpx.AsyncHTTPTransport(uds=server.path)
        async with httpx.AsyncClient(transport=transport, base_url="http://plugin") as client:
            yield client
    finally:
        await server.stop()
    assert not _is_there(server.path)


def _is_there(path: str) -> bool:
    return Path(path).exists()


def _mode(path: str) -> int:
    return stat.S_IMODE(Path(path).stat().st_mode)


def _names(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir()]


def host_headers(context: Context) -> dict[str, str]:
    message = encode_message(plan_of("context/Context"), context)
    encoded = base64.urlsafe_b64encode(message).decode().rstrip("=")
    return {
        "X-Mattermost-Bridge-Context": encoded,
        "X-Mattermost-Bridge-Root": "/sub/plugins/own",
        "X-Mattermost-Bridge-Remote": "[::1]:4711",
        "Mattermost-User-Id": "u1",
    }


async def test_what_the_host_says_is_in_the_scope_and_nowhere_else(tmp_path: Path) -> None:
    async def about(request: Any) -> JSONResponse:
        info = request_info(request)
        assert info.plugin is PLUGIN
        assert request.state.mattermost is info
        return JSONResponse(
            {
                "user": request_user_id(request.scope),
                "session": request_context(request).session_id,
                "agent": info.context.user_agent,
                "client": list(request.client),
                "url": str(request.url),
                "path": request.path_params["path"],
                "headers": [name for name in request.headers if "bridge" in name],
            }
        )

    app = Starlette()
    app.add_route("/about/{path:path}", about)
    context = Context(session_id="s1", user_agent="gr\u00fcn \U0001f600")
    async with serving(app, tmp_path) as client:
        headers = {**host_headers(context), "Host": "example.com", "X-Forwarded-Proto": "https"}
        answer = (await client.get("/about/a%2Fb?q=1", headers=headers)).json()

    assert answer == {
        "user": "u1",
        "session": "s1",
        "agent": "gr\u00fcn \U0001f600",
        "client": ["::1", 4711],
        "url": "https://example.com/sub/plugins/own/about/a/b?q=1",
        "path": "a/b",
        "headers": [],
    }


@pytest.mark.parametrize("waits", [True, False])
async def test_a_body_arrives_in_order_whenever_it_is_asked_for(tmp_path: Path, waits: bool) -> None:
    sent = [
        bytes([number]) * size for number, size in enumerate([1, 70_000, 3, 200_000, 500_000, 9, 30_000] * 8)
    ]
    asked = asyncio.Event()
    got: list[bytes] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return
        if waits:
            await asked.wait()
        more = True
        while more:
            message = await receive()
            got.append(message["body"])
            assert type(message["body"]) is bytes
            more = message["more_body"]
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def pieces() -> AsyncIterator[bytes]:
        for number, piece in enumerate(sent):
            yield piece
            await asyncio.sleep(0)  # so that they come one by one
            if number == 2:
                asked.set()

    async with serving(app, tmp_path) as client:
        assert (await client.post("/", content=pieces())).status_code == 204
    assert b"".join(got) == b"".join(sent)


async def test_the_socket_is_for_this_user_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = HTTPServer(Router(), PLUGIN, environment(tmp_path))
    await server.start()
    try:
        assert _mode(server.path) == 0o600
        transport = httpx.AsyncHTTPTransport(uds=server.path)
        async with httpx.AsyncClient(transport=transport, base_url="http://plugin") as client:
            assert (await client.get("/")).status_code == 404
        monkeypatch.setattr(SocketPath, "accepts", lambda self, peer: peer.uid != os.getuid())
    finally:
        await server.stop()
    refusing = HTTPServer(Router(), PLUGIN, environment(tmp_path))
    await refusing.start()
    try:
        transport = httpx.AsyncHTTPTransport(uds=refusing.path)
        async with httpx.AsyncClient(transport=transport, base_url="http://plugin") as client:
            with pytest.raises(httpx.TransportError):
                await client.get("/")
    finally:
        await refusing.stop()


async def test_the_lifespan_runs_and_its_failure_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    life: list[str] = []

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        life.append("started")
        yield
        life.append("ended")

    async with serving(Starlette(lifespan=lifespan), tmp_path):
        assert life == ["started"]
    assert life == ["started", "ended"]

    @asynccontextmanager
    async def failing(_app: Starlette) -> AsyncIterator[None]:
        raise ValueError("no database")
        yield

    server = HTTPServer(Starlette(lifespan=failing), PLUGIN, environment(tmp_path))
    with pytest.raises(HTTPStartError, match="startup failed"):
        await server.start()
    await server.stop()
    assert "ValueError: no database" in caplog.text
    assert _names(tmp_path) == []


async def test_an_exception_is_a_500_and_a_traceback_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise ValueError("the secret")

    with caplog.at_level(logging.ERROR):
        async with serving(app, tmp_path) as client:
            answer = await client.get("/")

    assert (answer.status_code, answer.text) == (500, "Internal Server Error")
    assert "ValueError: the secret" in caplog.text


async def test_an_exception_after_the_response_leaves_the_connection_to_the_next_request(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app = Starlette()

    async def boom(_request: Any) -> JSONResponse:
        raise ValueError("the secret")

    async def fine(_request: Any) -> JSONResponse:
        return JSONResponse("fine")

    app.add_route("/boom", boom)
    app.add_route("/fine", fine)
    server = HTTPServer(app, PLUGIN, environment(tmp_path))
    await server.start()
    try:
        reader, writer = await asyncio.open_unix_connection(server.path)
        for path, status in (("/boom", b"500"), ("/fine", b"200")):
            writer.write(f"GET {path} HTTP/1.1\r\nHost: plugin\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 " + status)
            length = next(line for line in head.splitlines() if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.split(b":")[1]))
        writer.close()
        await writer.wait_closed()
    finally:
        await server.stop()
    assert "ValueError: the secret" in caplog.text


async def lost(path: str, request: bytes, begun: threading.Event) -> None:
    """Send a request, and leave when the application has it."""
    _, writer = await asyncio.open_unix_connection(path)
    writer.write(request)
    await writer.drain()
    assert await asyncio.to_thread(begun.wait, 30)
    begun.clear()
    writer.close()
    await writer.wait_closed()


async def test_a_request_whose_client_is_gone_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("mattermost_plugin.http._connection._NOTICE", 0.1)
    begun = threading.Event()
    ended: asyncio.Queue[str] = asyncio.Queue()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            raise NotImplementedError
        if scope["path"] == "/noticed":
            begun.set()
            while (message := await receive())["type"] != "http.disconnect":
                pass
            await ended.put(message["type"])
            return
        if scope["path"] == "/complete":
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body"})
        begun.set()
        try:
            await asyncio.sleep(1 if scope["path"] == "/complete" else 3600)
            await ended.put("slept")
        except asyncio.CancelledError:
            await ended.put("cancelled")
            raise

    server = HTTPServer(app, PLUGIN, environment(tmp_path))
    await server.start()
    try:
        for path, end in (
            ("/silence", "cancelled"),
            ("/noticed", "http.disconnect"),
            ("/complete", "slept"),
        ):
            await lost(server.path, f"GET {path} HTTP/1.1\r\nHost: plugin\r\n\r\n".encode(), begun)
            assert await asyncio.wait_for(ended.get(), 30) == end
        for body in (b"half", bytes(700_000)):  # all of it is read, or no more than may wait
            head = b"POST /silence HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
            await lost(server.path, head + body, begun)
            assert await asyncio.wait_for(ended.get(), 30) == "cancelled"
    finally:
        await server.stop()
    assert caplog.text.count("/silence was given up") == 3
    assert "Traceback" not in caplog.text


async def test_little_of_a_body_waits_for_an_application_that_takes_none(tmp_path: Path) -> None:
    takes = asyncio.Event()
    pieces: list[int] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            raise NotImplementedError
        await takes.wait()
        more = True
        while more:
            message = await receive()
            pieces.append(len(message["body"]))
            more = message["more_body"]
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    async with serving(app, tmp_path) as client:
        sent = 0

        async def body() -> AsyncIterator[bytes]:
            nonlocal sent
            for _ in range(200):
                sent += 100_000
                yield bytes(100_000)

        request = asyncio.create_task(client.post("/", content=body()))
        before = -1
        while before != sent:  # until the client is held up
            before = sent
            await asyncio.sleep(0.2)
        takes.set()
        assert (await request).status_code == 204
    assert sum(pieces) == sent == 20_000_000
    # What may wait, and what asyncio reads at once.
    assert max(pieces) <= (512 << 10) + (256 << 10)


async def test_a_wsgi_application_whose_request_is_given_up_can_send_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mattermost_plugin.http._connection._NOTICE", 0.1)
    begun, given_up, ended = threading.Event(), threading.Event(), threading.Event()

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        begun.set()
        given_up.wait(30)
        try:
            yield b"too late"
        finally:
            ended.set()

    server = HTTPServer(WSGIAdapter(app), PLUGIN, environment(tmp_path))
    await server.start()
    try:
        await lost(server.path, b"GET / HTTP/1.1\r\nHost: plugin\r\n\r\n", begun)
        await asyncio.sleep(0.3)
        given_up.set()
        assert await asyncio.to_thread(ended.wait, 30)
    finally:
        await server.stop()


async def test_an_application_that_never_waits_leaves_room_for_others(tmp_path: Path) -> None:
    running = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            raise NotImplementedError
        await send({"type": "http.response.start", "status": 200, "headers": []})
        if scope["path"] == "/endless":
            running.set()
            while True:
                await send({"type": "http.response.body", "body": bytes(65536), "more_body": True})
        await send({"type": "http.response.body", "body": b"fine"})

    async with serving(app, tmp_path) as client:
        async with client.stream("GET", "/endless"):
            await running.wait()
        answer = await asyncio.wait_for(client.get("/"), 60)

    assert answer.text == "fine"


async def test_a_wsgi_application_reads_and_writes_in_pieces(tmp_path: Path) -> None:
    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("X-User", environ["mattermost"].user_id)])
        yield f"{environ['SCRIPT_NAME']}|{environ['PATH_INFO']}|".encode("latin-1")
        while piece := environ["wsgi.input"].read(1000):
            yield piece

    async with serving(WSGIAdapter(app), tmp_path) as client:
        answer = await client.post("/x", content=bytes(5000), headers=host_headers(Context()))

    assert answer.headers["x-user"] == "u1"
    assert answer.content == b"/sub/plugins/own|/x|" + bytes(5000)


async def test_an_endless_wsgi_response_ends_with_its_client(tmp_path: Path) -> None:
    closed = threading.Event()

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [])
        try:
            while True:
                yield b"tick"
        finally:
            closed.set()

    async with serving(WSGIAdapter(app), tmp_path) as client:
        async with client.stream("GET", "/"):
            pass
        assert await asyncio.to_thread(closed.wait, 10)


THING = '{"name": "a b", "q": [["q", ""], ["z", "\\u00fc"]], "user": "u1"}'


def echo_router() -> Router:
    router = Router()

    @router.get("/things/{name}")
    def thing(request: Request) -> dict[str, Any]:
        return {"name": request.path_params["name"], "q": request.query, "user": request.user_id}

    @router.get("/plugin")
    def whose(plugin: object, request: Request) -> str:
        return str(plugin is PLUGIN)

    @router.post("/small", max_body=10)
    async def small(request: Request) -> bytes:
        return request.body

    @router.put("/json")
    async def parsed(request: Request) -> list[Any]:
        return [request.json()]

    @router.patch("/nothing")
    async def nothing(request: Request) -> None:
        pass

    @router.delete("/rest/{path:path}")
    async def rest(request: Request) -> Response:
        return Response(request.path_params["path"], status=202, headers=[("X-A", "1"), ("X-A", "2")])

    @router.get("/wrong")
    async def wrong(request: Request) -> Any:
        return object()

    return router


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "text"),
    [
        ("GET", "/things/a%20b?q=&z=%C3%BC", b"", 200, THING),
        ("HEAD", "/things/x", b"", 200, ""),
        ("GET", "/things/a/b", b"", 404, "Not Found"),
        ("GET", "/plugin", b"", 200, "True"),
        ("POST", "/plugin", b"", 405, "Method Not Allowed"),
        ("POST", "/small", b"0123456789", 200, "0123456789"),
        ("POST", "/small", b"0123456789+", 413, None),
        ("PUT", "/json", b"7", 200, "[7]"),
        ("PUT", "/json", b"{", 400, None),
        ("PATCH", "/nothing", b"", 204, ""),
        ("DELETE", "/rest/a/b", b"", 202, "a/b"),
        ("GET", "/wrong", b"", 500, "Internal Server Error"),
    ],
)  # fmt: skip
async def test_the_router(
    tmp_path: Path, method: str, path: str, body: bytes, status: int, text: str | None
) -> None:
    async with serving(echo_router(), tmp_path) as client:
        answer = await client.request(method, path, content=body, headers=host_headers(Context()))

    assert answer.status_code == status
    assert text is None or answer.text == text
    if status == 202:
        assert answer.headers.get_list("x-a") == ["1", "2"]


async def test_the_router_refuses_a_long_body_that_was_not_announced(tmp_path: Path) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(4):
            yield b"0123"

    async with serving(echo_router(), tmp_path) as client:
        answer = await client.post("/small", content=pieces())

    assert answer.status_code == 413


@pytest.mark.parametrize("path", ["no-slash", "/{unclosed", "/{not a name}"])
def test_a_wrong_route_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match=r"a route's path|a parameter of a route"):
        Router().get(path)


def test_a_handler_with_the_wrong_parameters_is_refused() -> None:
    with pytest.raises(TypeError, match="must take"):
        Router().get("/")(lambda: None)


def test_a_request_of_another_server_is_no_request() -> None:
    for other in ({}, {"mattermost": "x"}, object(), None, 7):
        with pytest.raises(LookupError, match="is no request"):
            request_info(other)
