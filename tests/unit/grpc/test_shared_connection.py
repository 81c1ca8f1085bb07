"""Blocking calls of many threads on one connection."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from mattermost_plugin._grpc import Handler, Kind, Options, RpcError, StatusCode, threads

ECHO, WAIT, LATE = "/test.Service/Echo", "/test.Service/Wait", "/test.Service/Late"
#: Seconds that are never waited for unless something is wrong.
LONG = 60


class Bench:
    """A server, and a channel to it.

    Attributes:
        let_go: what calls of WAIT wait for.
        waiting: released by each call of WAIT that has come.
        connections: how many clients were accepted.
    """

    def __init__(self, path: Path, options: Options | None = None) -> None:
        self.let_go = threading.Event()
        self.waiting = threading.Semaphore(0)
        self.connections = 0
        handlers = {ECHO: lambda request, _: request, WAIT: self._wait, LATE: self._answer_late}
        self.server = threads.Server(
            {name: Handler(Kind.UNARY_UNARY, function, bytes, bytes) for name, function in handlers.items()},
            options=options,
            max_workers=300,
        )
        self.server.listen_unix(str(path), accept=self._accept)
        self.server.start()
        self.channel = threads.Channel(f"unix:{path}")
        self.echo = self.channel.unary_unary(ECHO, bytes, bytes)
        self.wait = self.channel.unary_unary(WAIT, bytes, bytes)
        self.late = self.channel.unary_unary(LATE, bytes, bytes)

    def _accept(self, _credentials: object) -> bool:
        self.connections += 1
        return True

    def _wait(self, request: bytes, _call: Any) -> bytes:
        self.waiting.release()
        assert self.let_go.wait(LONG)
        return request

    def _answer_late(self, request: bytes, _call: Any) -> bytes:
        time.sleep(random.Random(request).uniform(0, 0.004))
        return request

    def until_they_wait(self, calls: int) -> None:
        """Wait until so many calls of WAIT have come."""
        for _ in range(calls):
            assert self.waiting.acquire(timeout=LONG)

    def close(self) -> None:
        self.let_go.set()
        self.channel.close()
        self.server.stop()


@contextlib.contextmanager
def bench(path: Path, options: Options | None = None) -> Iterator[Bench]:
    made = Bench(path, options)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def a_bench(tmp_path: Path) -> Iterator[Bench]:
    with bench(tmp_path / "s") as made:
        yield made


def on_threads(count: int, run: Callable[[int], object]) -> None:
    """Run on so many threads, and raise what one of them raises."""
    with ThreadPoolExecutor(count) as pool:
        for done in [pool.submit(run, number) for number in range(count)]:
            done.result(LONG)


def code_of(call: Callable[[], object]) -> StatusCode | None:
    try:
        call()
    except RpcError as error:
        return error.code
    return None


@pytest.mark.parametrize("callers", [3, 16, 64])
def test_each_thread_gets_the_answers_to_its_calls_over_one_connection(a_bench: Bench, callers: int) -> None:
    def run(number: int) -> None:
        for count in range(200):
            request = b"%d %d" % (number, count)
            assert a_bench.echo(request, timeout=LONG) == request

    with ThreadPoolExecutor(3) as pool:
        # Two calls have connections for themselves, and while the third is under way all others share its.
        long = []
        for _ in range(3):
            long.append(pool.submit(a_bench.wait, b"", timeout=LONG))
            a_bench.until_they_wait(1)
        on_threads(callers, run)
        a_bench.let_go.set()
        for call in long:
            call.result(LONG)
    assert a_bench.connections == 3


def test_a_call_that_takes_long_holds_nobody_up(a_bench: Bench) -> None:
    with ThreadPoolExecutor(3) as pool:
        long = [pool.submit(a_bench.wait, b"%d" % number, timeout=LONG) for number in range(3)]
        a_bench.until_they_wait(3)
        on_threads(4, lambda _: [a_bench.echo(b"x", timeout=LONG) for _ in range(50)])
        assert not any(call.done() for call in long)
        a_bench.let_go.set()
        assert [call.result(LONG) for call in long] == [b"0", b"1", b"2"]


def test_a_thread_that_waits_for_something_else_after_its_call_holds_nobody_up(a_bench: Bench) -> None:
    """Whoever has the turn does not come back before all others have made their calls."""
    others_are_done = threading.Barrier(8)

    def run(number: int) -> None:
        for _ in range(50 + number):
            a_bench.echo(b"x", timeout=LONG)
        others_are_done.wait(LONG)

    for _ in range(5):
        on_threads(8, run)


def test_a_thread_that_does_something_else_between_its_calls_holds_nobody_up(a_bench: Bench) -> None:
    """One at a time stops in the middle, until all others have made more calls."""
    progress = [0] * 6

    def run(number: int) -> None:
        for count in range(60):
            a_bench.echo(b"x", timeout=LONG)
            progress[number] += 1
            if count == 10 + 5 * number:
                before = list(progress)
                until = time.monotonic() + LONG
                while any(
                    now <= then < 60
                    for other, (now, then) in enumerate(zip(progress, before, strict=True))
                    if other > number
                ):
                    assert time.monotonic() < until
                    time.sleep(0.0005)

    on_threads(6, run)


def test_a_thread_that_ends_after_its_call_holds_nobody_up(a_bench: Bench) -> None:
    for _ in range(20):
        on_threads(6, lambda number: [a_bench.echo(b"x", timeout=LONG) for _ in range(2 + 3 * number)])


def test_calls_after_a_deadline_of_the_thread_that_read_go_on(a_bench: Bench) -> None:
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(code_of, lambda: a_bench.wait(b"", timeout=0.3))
        a_bench.until_they_wait(1)  # it reads
        others = [pool.submit(a_bench.wait, b"%d" % number, timeout=LONG) for number in range(5)]
        a_bench.until_they_wait(5)
        assert first.result(LONG) is StatusCode.DEADLINE_EXCEEDED
        assert a_bench.echo(b"x", timeout=LONG) == b"x"
        a_bench.let_go.set()
        assert [call.result(LONG) for call in others] == [b"%d" % number for number in range(5)]


def test_a_deadline_of_a_thread_that_does_not_read_passes_in_time(a_bench: Bench) -> None:
    with ThreadPoolExecutor(2) as pool:
        reader = pool.submit(a_bench.wait, b"", timeout=LONG)
        a_bench.until_they_wait(1)
        begin = time.monotonic()
        assert code_of(lambda: a_bench.wait(b"", timeout=0.2)) is StatusCode.DEADLINE_EXCEEDED
        assert 0.2 <= time.monotonic() - begin < LONG / 2
        a_bench.let_go.set()
        assert reader.result(LONG) == b""


def test_many_threads_with_short_deadlines_get_their_answers_or_deadline_exceeded(a_bench: Bench) -> None:
    def run(number: int) -> None:
        for count in range(40):
            request = b"%d %d" % (number, count)
            try:
                assert a_bench.late(request, timeout=0.003) == request
            except RpcError as error:
                if error.code is not StatusCode.DEADLINE_EXCEEDED:
                    raise

    on_threads(16, run)
    assert a_bench.echo(b"after", timeout=LONG) == b"after"


def test_all_calls_of_a_connection_that_is_lost_are_unavailable(a_bench: Bench) -> None:
    with ThreadPoolExecutor(32) as pool:
        calls = [pool.submit(code_of, lambda: a_bench.wait(b"", timeout=LONG)) for _ in range(32)]
        a_bench.until_they_wait(32)
        a_bench.server.stop()
        assert {call.result(LONG) for call in calls} == {StatusCode.UNAVAILABLE}


def test_all_calls_of_a_channel_that_is_closed_are_unavailable(a_bench: Bench) -> None:
    with ThreadPoolExecutor(32) as pool:
        calls = [pool.submit(code_of, lambda: a_bench.wait(b"", timeout=LONG)) for _ in range(32)]
        a_bench.until_they_wait(32)
        a_bench.channel.close()
        assert {call.result(LONG) for call in calls} == {StatusCode.UNAVAILABLE}
    assert code_of(lambda: a_bench.echo(b"")) is StatusCode.UNAVAILABLE


def test_threads_connect_anew_after_the_server_was_restarted(tmp_path: Path) -> None:
    with bench(tmp_path / "s") as first:
        on_threads(8, lambda _: first.echo(b"x", timeout=LONG))
        for _ in range(5):
            first.server.stop()
            with bench(tmp_path / "s"):
                # The old connection is there, and every thread finds it broken.
                on_threads(8, lambda _: first.echo(b"x", timeout=LONG))


def test_calls_beyond_the_servers_limit_have_connections_of_their_own(tmp_path: Path) -> None:
    with bench(tmp_path / "s", Options(max_concurrent_streams=2)) as limited:
        assert limited.echo(b"first", timeout=LONG) == b"first"
        with ThreadPoolExecutor(6) as pool:
            calls = []
            for number in range(6):  # one after the other, so that it is sure which connection each finds
                calls.append(pool.submit(limited.wait, b"%d" % number, timeout=LONG))
                limited.until_they_wait(1)
            limited.let_go.set()
            assert [call.result(LONG) for call in calls] == [b"%d" % number for number in range(6)]
        assert limited.connections == 5


def test_a_request_that_is_larger_than_allowed_ends_alone(a_bench: Bench, tmp_path: Path) -> None:
    channel = threads.Channel(f"unix:{tmp_path}/s", options=Options(max_send_message_size=100))
    echo = channel.unary_unary(ECHO, bytes, bytes)
    codes: list[StatusCode | None] = []

    def run(number: int) -> None:
        request = b"x" * (101 if number == 0 else 100)
        codes.extend(code_of(lambda: echo(request, timeout=LONG)) for _ in range(50))

    on_threads(8, run)
    assert codes.count(None) == 7 * 50
    assert codes.count(StatusCode.RESOURCE_EXHAUSTED) == 50
    channel.close()


def test_large_requests_and_small_ones_go_at_once(a_bench: Bench) -> None:
    def run(number: int) -> None:
        for count in range(10):
            request = bytes([number]) * random.Random(number * 10 + count).choice(
                [1, 30_000, 300_000, 3_000_000]
            )
            assert a_bench.echo(request, timeout=LONG) == request

    on_threads(8, run)


class Dam:
    """Between a channel and a server: lets no requests through for a while."""

    def __init__(self, path: Path, server: Path) -> None:
        self.open = threading.Event()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._server = str(server)
        self._pumps: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            if self.open.is_set():
                client.close()
                return
            pump = threading.Thread(target=self._run, args=(client,))
            self._pumps.append(pump)
            pump.start()

    def _run(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server:
            server.connect(self._server)
            back = threading.Thread(target=self._pump, args=(server, client))
            back.start()
            assert self.open.wait(LONG)
            self._pump(client, server)
            back.join()

    @staticmethod
    def _pump(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let all through, and end once there is nothing more."""
        self.open.set()
        with socket.socket(socket.AF_UNIX) as last:
            last.connect(self._listener.getsockname())
            self._accepting.join()
        for pump in self._pumps:
            pump.join()
        self._listener.close()


def test_requests_that_the_socket_does_not_take_are_written_later_by_whoever_it_is(
    a_bench: Bench, tmp_path: Path
) -> None:
    dam = Dam(tmp_path / "dam", tmp_path / "s")
    channel = threads.Channel(f"unix:{tmp_path}/dam")
    echo = channel.unary_unary(ECHO, bytes, bytes)
    with ThreadPoolExecutor(64) as pool:
        requests = [b"%05d" % number * 3_000 for number in range(63)]  # more than a socket holds
        calls = [pool.submit(echo, request, timeout=LONG) for request in requests]
        # The deadline of a thread that may be the one to write.
        assert code_of(lambda: echo(b"x", timeout=0.2)) is StatusCode.DEADLINE_EXCEEDED
        dam.open.set()
        assert [call.result(LONG) for call in calls] == requests
    channel.close()
    dam.close()


class Interrupted(BaseException):
    """What a signal's handler raises."""


@pytest.fixture
def interrupt() -> Iterator[Callable[[], None]]:
    """Return a function that raises Interrupted in the main thread, which must be the one of the tests."""
    assert threading.current_thread() is threading.main_thread()

    def handle(_number: int, _frame: object) -> None:
        raise Interrupted

    before = signal.signal(signal.SIGUSR1, handle)
    yield lambda: os.kill(os.getpid(), signal.SIGUSR1)
    signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize("reads", [True, False])
def test_a_call_that_a_signal_interrupts_takes_no_other_along(
    a_bench: Bench, interrupt: Callable[[], None], *, reads: bool
) -> None:
    with ThreadPoolExecutor(8) as pool:
        others = []
        if not reads:
            others.append(pool.submit(a_bench.wait, b"x", timeout=LONG))
            a_bench.until_they_wait(1)

        def call_and_interrupt() -> None:
            a_bench.until_they_wait(1)  # of the main thread
            others.extend(pool.submit(a_bench.wait, b"x", timeout=LONG) for _ in range(4))
            a_bench.until_they_wait(4)
            interrupt()

        pool.submit(call_and_interrupt)
        with pytest.raises(Interrupted):
            a_bench.wait(b"", timeout=LONG)
        assert a_bench.echo(b"x", timeout=LONG) == b"x"
        a_bench.let_go.set()
        assert [call.result(LONG) for call in others] == [b"x"] * len(others)


# A connection that is interrupted while it is made leaves its socket to the collector.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
# A signal may come while Python takes a thread that has ended out of a set: who raises there is not heard.
@pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <function WeakSet:pytest.PytestUnraisableExceptionWarning"
)
def test_calls_interrupted_at_any_time_leave_the_others_their_answers(
    a_bench: Bench, interrupt: Callable[[], None]
) -> None:
    """Interrupted may come anywhere. Only if octets may be lost, others hear that the connection is."""
    stop = threading.Event()
    codes: list[StatusCode | None] = []

    def run(number: int) -> None:
        for count in itertools.count():
            if stop.is_set():
                return
            request = b"%d %d" % (number, count)

            def call(request: bytes = request) -> None:
                assert a_bench.echo(request, timeout=LONG) == request

            codes.append(code_of(call))

    interrupted = 0
    with ThreadPoolExecutor(5) as pool:
        others = [pool.submit(run, number) for number in range(4)]
        sure = threading.Event()

        def interrupt_often() -> None:
            for number in range(30):
                time.sleep(random.Random(number).uniform(0, 0.002))
                sure.wait(LONG)
                interrupt()
                sure.clear()

        interrupting = pool.submit(interrupt_often)
        while not interrupting.done():
            try:
                sure.set()
                while True:
                    a_bench.echo(b"main", timeout=LONG)
                    if interrupting.done():
                        break
            except Interrupted:
                interrupted += 1
        stop.set()
        for done in others:
            done.result(LONG)
    assert interrupted
    assert set(codes) <= {None, StatusCode.UNAVAILABLE}
    assert codes.count(StatusCode.UNAVAILABLE) < len(codes) / 2


def test_a_signals_handler_may_call_within_a_call(a_bench: Bench) -> None:
    called: list[bytes] = []

    def handle(_number: int, _frame: object) -> None:
        called.append(a_bench.echo(b"inner", timeout=LONG))
        a_bench.let_go.set()

    before = signal.signal(signal.SIGUSR1, handle)
    try:
        with ThreadPoolExecutor(1) as pool:

            def interrupt() -> None:
                a_bench.until_they_wait(1)
                os.kill(os.getpid(), signal.SIGUSR1)

            pool.submit(interrupt)
            assert a_bench.wait(b"outer", timeout=LONG) == b"outer"
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert called == [b"inner"]


def test_threads_that_call_in_a_loop_get_on_alike(a_bench: Bench) -> None:
    begun = threading.Barrier(8)
    counts = [0] * 8
    when_one_had_ended: list[list[int]] = []

    def run(number: int) -> None:
        begun.wait(LONG)
        for _ in range(500):
            a_bench.echo(b"x", timeout=LONG)
            counts[number] += 1
        when_one_had_ended.append(list(counts))

    on_threads(8, run)
    assert min(when_one_had_ended[0]) > 100
