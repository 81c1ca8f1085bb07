"""What both drivers do beside moving octets: connecting anew, stopping, limits, TLS, who may connect."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import os
import socket
import ssl
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import uvloop

from mattermost_plugin._grpc import Handler, Kind, Options, RpcError, StatusCode, aio, threads
from mattermost_plugin._grpc.addresses import PeerCredentials, Target
from tests.conformance.faces import FACES, AioFace, Face

PATH = "/test.Service/Call"


class RunningServer:
    """A server of either driver, with handlers that are plain functions run so that they may wait."""

    def __init__(self, driver: str, handlers: dict[str, Handler], **arguments: Any) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        if driver == "threads":
            self.server: Any = threads.Server(handlers, **arguments)
        else:
            self.server = aio.Server(handlers, **arguments)
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
            self._thread.start()

    def run(self, call: Callable[[], Any]) -> Any:
        if self._loop is None:
            return call()

        async def on_the_loop() -> Any:
            result = call()
            return await result if asyncio.iscoroutine(result) else result

        return asyncio.run_coroutine_threadsafe(on_the_loop(), self._loop).result(60)

    def start(self) -> None:
        self.run(self.server.start)

    def stop(self, grace: float | None = None) -> None:
        self.run(lambda: self.server.stop(grace))
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()


def waiting(
    driver: str, function: Callable[[bytes, Any], bytes], kind: Kind = Kind.UNARY_UNARY
) -> dict[str, Handler]:
    """Return a handler that may wait: on its thread, or off the loop."""
    if driver == "threads":
        return {PATH: Handler(kind, function, bytes, bytes)}

    async def off_the_loop(request: bytes, call: Any) -> bytes:
        return await asyncio.to_thread(function, request, call)

    return {PATH: Handler(kind, off_the_loop, bytes, bytes)}


@pytest.fixture(params=["aio", "threads"])
def driver(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@contextlib.contextmanager
def serving(
    driver: str,
    path: Path,
    function: Callable[[bytes, Any], bytes],
    *,
    grace: float | None = None,
    **arguments: Any,
) -> Iterator[RunningServer]:
    server = RunningServer(driver, waiting(driver, function), **arguments)
    try:
        server.server.listen_unix(str(path))
        server.start()
        yield server
    finally:
        server.stop(grace)


def echo(request: bytes, call: Any) -> bytes:
    return request


@pytest.fixture
def client() -> type[Face]:
    return FACES["threads"]


@pytest.mark.parametrize("client_driver", ["aio", "threads"])
@pytest.mark.parametrize("grace", [None, 1.0])
def test_a_channel_connects_anew_after_the_server_was_restarted(
    driver: str, client_driver: str, grace: float | None, tmp_path: Path
) -> None:
    path = tmp_path / "s"
    with FACES[client_driver](f"unix:{path}") as face:
        for _ in range(3):
            with serving(driver, path, echo, grace=grace):
                assert face.unary(PATH, b"1") == b"1"
                assert face.unary(PATH, b"2") == b"2"
            with pytest.raises(RpcError) as raised:
                face.unary(PATH, b"3")
            assert raised.value.code is StatusCode.UNAVAILABLE


@pytest.mark.parametrize("client_driver", ["aio", "threads"])
def test_a_call_whose_server_dies_is_unavailable(driver: str, client_driver: str, tmp_path: Path) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "s"))
    listener.listen()

    def die() -> None:
        connection, _ = listener.accept()
        connection.recv(100_000)
        connection.close()
        listener.close()

    dying = threading.Thread(target=die)
    dying.start()
    with FACES[client_driver](f"unix:{tmp_path}/s") as face, pytest.raises(RpcError) as raised:
        face.unary(PATH, b"x")
    dying.join()
    assert raised.value.code is StatusCode.UNAVAILABLE


@pytest.mark.parametrize("client_driver", ["aio", "threads"])
def test_a_server_that_does_not_answer_is_deadline_exceeded(client_driver: str, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen()
        begin = time.monotonic()
        with FACES[client_driver](f"unix:{tmp_path}/s") as face, pytest.raises(RpcError) as raised:
            face.unary(PATH, b"x" * 1_000_000, timeout=0.2)
        assert raised.value.code is StatusCode.DEADLINE_EXCEEDED
        assert time.monotonic() - begin >= 0.2


@contextlib.contextmanager
def full(path: Path) -> Iterator[tuple[socket.socket, list[socket.socket]]]:
    """A listening socket that has no room for a further client, and the clients it has not accepted."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket(socket.AF_UNIX))
        listener.bind(str(path))
        listener.listen(1)
        clients: list[socket.socket] = []
        while True:
            client = stack.enter_context(socket.socket(socket.AF_UNIX))
            client.setblocking(False)
            try:
                client.connect(str(path))
            except BlockingIOError:
                break
            clients.append(client)
        yield listener, clients


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere such a client is refused")
@pytest.mark.parametrize("client_driver", ["aio", "threads"])
def test_a_server_that_accepts_nobody_is_deadline_exceeded(client_driver: str, tmp_path: Path) -> None:
    with (
        full(tmp_path / "s"),
        FACES[client_driver](f"unix:{tmp_path}/s") as face,
        pytest.raises(RpcError) as raised,
    ):
        face.unary(PATH, b"x", timeout=0.2)
    assert raised.value.code is StatusCode.DEADLINE_EXCEEDED


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere such a client is refused")
@pytest.mark.parametrize("client_driver", ["aio", "threads"])
@pytest.mark.parametrize("timeout", [None, 60])
def test_a_client_waits_for_room(client_driver: str, timeout: float | None, tmp_path: Path) -> None:
    with (
        full(tmp_path / "s") as (listener, clients),
        FACES[client_driver](f"unix:{tmp_path}/s") as face,
        ThreadPoolExecutor(1) as pool,
    ):
        call = pool.submit(face.unary, PATH, b"x", timeout=timeout)
        time.sleep(0.05)  # so that it most likely waits
        for _ in clients:
            listener.accept()[0].close()
        with listener.accept()[0] as accepted:
            assert accepted.recv(3) == b"PRI"
            listener.close()  # nor is there another connection then
        with pytest.raises(RpcError) as raised:
            call.result(60)
        assert raised.value.code is StatusCode.UNAVAILABLE


def test_stop_with_grace_lets_running_calls_end(driver: str, client: type[Face], tmp_path: Path) -> None:
    running = threading.Event()

    def slow(request: bytes, call: Any) -> bytes:
        running.set()
        time.sleep(0.3)
        return request

    with client(f"unix:{tmp_path}/s") as face, ThreadPoolExecutor(1) as pool:
        with serving(driver, tmp_path / "s", slow) as server:
            answer = pool.submit(face.unary, PATH, b"done")
            assert running.wait(30)
            begin = time.monotonic()
            server.run(lambda: server.server.stop(60))
            assert time.monotonic() - begin < 30
        assert answer.result(30) == b"done"


def test_stop_without_grace_cancels_running_calls(driver: str, client: type[Face], tmp_path: Path) -> None:
    running, seen = threading.Event(), threading.Event()

    def endless(request: bytes, call: Any) -> bytes:
        running.set()
        while not call.cancelled:
            time.sleep(0.01)
        seen.set()
        return b""

    with client(f"unix:{tmp_path}/s") as face, ThreadPoolExecutor(1) as pool:
        with serving(driver, tmp_path / "s", endless):
            answer = pool.submit(face.unary, PATH, b"x")
            assert running.wait(30)
        with pytest.raises(RpcError) as raised:
            answer.result(30)
    assert raised.value.code is StatusCode.UNAVAILABLE
    assert seen.wait(30)


def test_a_socket_is_only_for_its_user_and_removed_at_the_end(driver: str, tmp_path: Path) -> None:
    path = tmp_path / "s"
    with serving(driver, path, echo):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()


def test_a_stale_socket_is_replaced_and_a_used_one_is_not(
    driver: str, client: type[Face], tmp_path: Path
) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    with serving(driver, path, echo), client(f"unix:{path}") as face:
        assert face.unary(PATH, b"x") == b"x"
        with pytest.raises(OSError, match="in use"), serving(driver, path, echo):
            pass


def ends(client: socket.socket) -> bool:
    """Return whether the server closes a connection."""
    client.settimeout(30)
    try:
        while client.recv(100_000):
            pass
    except ConnectionResetError:
        pass
    except TimeoutError:
        return False
    return True


@pytest.mark.parametrize("policy", [asyncio.DefaultEventLoopPolicy, uvloop.EventLoopPolicy])
@pytest.mark.parametrize("turns", range(6))
def test_a_client_that_connects_while_a_server_on_a_loop_stops_is_disconnected(
    policy: type[asyncio.AbstractEventLoopPolicy], turns: int, tmp_path: Path
) -> None:
    async def connect_and_stop(client: socket.socket) -> None:
        server = aio.Server(waiting("aio", echo))
        server.listen_unix(str(tmp_path / "s"))
        await server.start()
        client.connect(str(tmp_path / "s"))
        for _ in range(turns):  # of the loop: the connection waits, has been accepted, has a transport
            await asyncio.sleep(0)
        await server.stop()

    loop = policy().new_event_loop()
    with socket.socket(socket.AF_UNIX) as client:
        try:
            loop.run_until_complete(connect_and_stop(client))
        finally:
            loop.close()
        assert ends(client)


def test_a_client_that_connects_while_a_server_on_threads_stops_is_disconnected(tmp_path: Path) -> None:
    for number in range(100):
        server = RunningServer("threads", waiting("threads", echo))
        path = server.server.listen_unix(str(tmp_path / str(number)))
        server.start()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
            time.sleep(number * 5e-6)  # whatever the server is about just then
            server.stop()
            assert ends(client)


@pytest.mark.parametrize("welcome", [True, False])
def test_clients_of_a_unix_socket_are_asked_for(
    driver: str, client: type[Face], welcome: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[PeerCredentials] = []

    def accept(credentials: PeerCredentials) -> bool:
        seen.append(credentials)
        return welcome

    server = RunningServer(driver, waiting(driver, echo))
    server.server.listen_unix(str(tmp_path / "s"), accept=accept)
    server.start()
    try:
        with client(f"unix:{tmp_path}/s") as face:
            if welcome:
                assert face.unary(PATH, b"x") == b"x"
            else:
                with pytest.raises(RpcError) as raised:
                    face.unary(PATH, b"x")
                assert raised.value.code is StatusCode.UNAVAILABLE
    finally:
        server.stop()
    assert {(credentials.uid, credentials.gid) for credentials in seen} == {(os.getuid(), os.getgid())}
    assert ("is not accepted" in caplog.text) is not welcome


# ---- TLS


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Contexts of a server and a client that trusts it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    day = datetime.timedelta(days=1)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - day).not_valid_after(now + day)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    certificate = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    directory = tmp_path_factory.mktemp("tls")
    pem = serialization.Encoding.PEM
    (directory / "cert").write_bytes(certificate.public_bytes(pem))
    (directory / "key").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(directory / "cert", directory / "key")
    client = ssl.create_default_context(cafile=str(directory / "cert"))
    return server, client


@pytest.mark.parametrize("where", ["unix", "tcp"])
@pytest.mark.parametrize("client_driver", ["aio", "threads"])
def test_tls(
    driver: str,
    client_driver: str,
    where: str,
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
    tmp_path: Path,
) -> None:
    server = RunningServer(driver, waiting(driver, echo))
    if where == "unix":
        target = "unix:" + server.server.listen_unix(str(tmp_path / "s"), contexts[0])
    else:
        target = f"localhost:{server.server.listen_tcp('127.0.0.1', 0, contexts[0])[1]}"
    server.start()
    large = os.urandom(3_000_000)
    try:
        if client_driver == "threads":
            channel = threads.Channel(target, ssl_context=contexts[1])
            call = channel.unary_unary(PATH, bytes, bytes)
            assert call(b"x", timeout=60) == b"x"
            assert call(large, timeout=60) == large
            channel.close()
        else:

            async def calls() -> None:
                channel = aio.Channel(target, ssl_context=contexts[1])
                call = channel.unary_unary(PATH, bytes, bytes)
                assert await call(b"x", timeout=60) == b"x"
                assert await call(large, timeout=60) == large
                await channel.close()

            asyncio.run(calls())
    finally:
        server.stop()


def test_a_client_that_does_not_speak_tls_is_turned_away(
    driver: str, client: type[Face], contexts: tuple[ssl.SSLContext, ssl.SSLContext], tmp_path: Path
) -> None:
    server = RunningServer(driver, waiting(driver, echo))
    server.server.listen_unix(str(tmp_path / "s"), contexts[0])
    server.start()
    try:
        with client(f"unix:{tmp_path}/s") as face, pytest.raises(RpcError) as raised:
            face.unary(PATH, b"x", timeout=60)
        assert raised.value.code is StatusCode.UNAVAILABLE
    finally:
        server.stop()


# ---- many calls


def test_answers_of_many_threads_share_a_socket_that_is_full(tmp_path: Path) -> None:
    """Each round is a new connection, whose socket fills for the first time while several threads answer."""
    gate = threading.Barrier(8)

    def answer(request: bytes, _call: Any) -> bytes:
        gate.wait(60)
        return request * 300_000

    async def calls() -> list[bytes]:
        channel = aio.Channel(f"unix:{tmp_path}/s")
        try:
            call = channel.unary_unary(PATH, bytes, bytes)
            return await asyncio.gather(*(call(bytes([number]), timeout=60) for number in range(8)))
        finally:
            await channel.close()

    with serving("threads", tmp_path / "s", answer):
        for _ in range(20):
            assert [set(found) for found in asyncio.run(calls())] == [{number} for number in range(8)]


@pytest.mark.parametrize("client_driver", ["aio", "threads"])
def test_a_handler_that_waits_holds_nobody_up(driver: str, client_driver: str, tmp_path: Path) -> None:
    together = threading.Barrier(4)

    def wait(request: bytes, call: Any) -> bytes:
        together.wait(60)
        return request

    target = f"unix:{tmp_path}/s"
    with (
        serving(driver, tmp_path / "s", wait),
        FACES[client_driver](target) as face,
        ThreadPoolExecutor(4) as pool,
    ):
        assert list(pool.map(lambda _: face.unary(PATH, b"x"), range(4))) == [b"x"] * 4


def test_handlers_that_call_another_server_overlap(tmp_path: Path) -> None:
    together = threading.Barrier(16)

    def wait(request: bytes, call: Any) -> bytes:
        together.wait(60)
        return request

    channel = threads.Channel(f"unix:{tmp_path}/api")
    api = channel.unary_unary(PATH, bytes, bytes)
    with serving("threads", tmp_path / "api", wait), serving("threads", tmp_path / "s", lambda r, _: api(r)):
        # All on one connection, as grpc-go makes them.
        with AioFace(f"unix:{tmp_path}/s") as face, ThreadPoolExecutor(16) as pool:
            for _ in range(2):
                assert list(pool.map(lambda _: face.unary(PATH, b"x"), range(16))) == [b"x"] * 16
        channel.close()


def test_no_more_unary_handlers_run_than_there_are_workers_and_streams_do_not_count(tmp_path: Path) -> None:
    running = most = 0
    lock, gate, together = threading.Lock(), threading.Event(), threading.Barrier(3)

    def unary(request: bytes, call: Any) -> bytes:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        together.wait(60)
        time.sleep(0.05)  # a fourth would come now
        with lock:
            running -= 1
        return request

    def stream(request: bytes, call: Any) -> Iterator[bytes]:
        yield b"begun"
        gate.wait(100)
        yield b"done"

    handlers = {
        PATH: Handler(Kind.UNARY_UNARY, unary, bytes, bytes),
        "/test.Service/Stream": Handler(Kind.UNARY_STREAM, stream, bytes, bytes),
    }
    server = RunningServer("threads", handlers, max_workers=3)
    server.server.listen_unix(str(tmp_path / "s"))
    server.start()
    # All calls on one connection, as grpc-go makes them.
    with AioFace(f"unix:{tmp_path}/s") as face, ThreadPoolExecutor(12) as pool:
        calls = [face.receive_all("/test.Service/Stream", b"") for _ in range(6)]
        assert [next(call) for call in calls] == [b"begun"] * 6
        assert list(pool.map(lambda _: face.unary(PATH, b"x", timeout=60), range(12))) == [b"x"] * 12
        gate.set()
        assert [next(call) for call in calls] == [b"done"] * 6
    server.stop()
    assert most == 3


def test_calls_beyond_the_servers_limit_wait_for_their_turn(driver: str, tmp_path: Path) -> None:
    def wait(request: bytes, call: Any) -> bytes:
        time.sleep(0.02)
        return request

    options = Options(max_concurrent_streams=2)
    with serving(driver, tmp_path / "s", wait, options=options), AioFace(f"unix:{tmp_path}/s") as face:
        assert face.unary(PATH, b"first") == b"first"
        with ThreadPoolExecutor(10) as pool:
            assert list(pool.map(lambda _: face.unary(PATH, b"x"), range(10))) == [b"x"] * 10


def test_a_cancelled_task_cancels_its_call(tmp_path: Path) -> None:
    running, cancelled = threading.Event(), threading.Event()

    async def endless(request: bytes, call: Any) -> bytes:
        running.set()
        try:
            await asyncio.sleep(120)
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return b""

    server = RunningServer("aio", {PATH: Handler(Kind.UNARY_UNARY, endless, bytes, bytes)})
    server.server.listen_unix(str(tmp_path / "s"))
    server.start()

    async def cancel() -> None:
        channel = aio.Channel(f"unix:{tmp_path}/s")
        task = asyncio.ensure_future(channel.unary_unary(PATH, bytes, bytes)(b""))
        assert await asyncio.to_thread(running.wait, 30)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await asyncio.to_thread(cancelled.wait, 30)
        await channel.close()

    asyncio.run(cancel())
    server.stop()
    assert cancelled.is_set()


def test_a_request_iterator_that_fails_ends_the_call_and_is_raised(driver: str, tmp_path: Path) -> None:
    async def join_async(requests: Any, call: Any) -> bytes:
        return b"".join([request async for request in requests])

    def join(requests: Any, call: Any) -> bytes:
        return b"".join(requests)

    def failing() -> Iterator[bytes]:
        yield b"one"
        raise ZeroDivisionError("in the iterator")

    handler = Handler(Kind.STREAM_UNARY, join if driver == "threads" else join_async, bytes, bytes)
    server = RunningServer(driver, {PATH: handler})
    server.server.listen_unix(str(tmp_path / "s"))
    server.start()
    for client in ("aio", "threads"):
        with FACES[client](f"unix:{tmp_path}/s") as face:
            with pytest.raises(ZeroDivisionError, match="in the iterator"):
                face.send_all(PATH, failing())
            assert face.send_all(PATH, [b"one", b"two"]) == b"onetwo"
    server.stop()


@pytest.mark.parametrize("text", ["", "unix:", "localhost", "localhost:http", "localhost:99999"])
def test_targets_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"names no socket|neither"):
        Target.parse(text)


@pytest.mark.parametrize("metadata", [[("Upper", "x")], [("x-bin", "text")], [("x", b"octets")]])
def test_wrong_trailing_metadata_of_a_handler_is_internal(
    driver: str, client: type[Face], metadata: Any, tmp_path: Path
) -> None:
    def wrong(request: bytes, call: Any) -> bytes:
        call.set_trailing_metadata(metadata)
        return b""

    with serving(driver, tmp_path / "s", wrong), client(f"unix:{tmp_path}/s") as face:
        with pytest.raises(RpcError) as raised:
            face.unary(PATH, b"")
        assert raised.value.code is StatusCode.INTERNAL
