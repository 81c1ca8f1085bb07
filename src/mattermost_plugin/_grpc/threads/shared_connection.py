"""A connection that the calls of many threads have in common.

Only one thread at a time runs Python, and to change from one to another costs as much as a small call does.
So the threads take turns, and a call costs one change. At most one of them holds the connection:

- It reads: its own call is under way and it waits for octets, for all.
- Or it runs what its author wrote, because its call has ended. When it makes its next call it wakes the next
  thread whose call has ended, and waits. If there is none, it reads.

Threads whose calls have ended are not woken when that is read, only when it is their turn. Whoever has the
turn and does not come back, because it does something else, loses it: a watch looks every millisecond. Such a
thread is late. It is woken as soon as its call has ended, and is given no turns, until it has come back at
once for some times.

Requests are written a few at a time as turns go by, so that the server has something to do meanwhile.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from select import POLLIN
from typing import TYPE_CHECKING, Final

from mattermost_plugin._grpc.calls import DEADLINE_EXCEEDED
from mattermost_plugin._grpc.client import ClientConnection
from mattermost_plugin._grpc.client_calls import CANCELLED
from mattermost_plugin._grpc.control import ConnectionState
from mattermost_plugin._grpc.patience import Patience
from mattermost_plugin._grpc.status import Status, StatusCode
from mattermost_plugin._grpc.threads.client_socket import FRESH
from mattermost_plugin._grpc.threads.turns import Watch

if TYPE_CHECKING:
    from mattermost_plugin._grpc.header_encoder import RequestTemplate
    from mattermost_plugin._grpc.options import Options
    from mattermost_plugin._grpc.streams import Stream
    from mattermost_plugin._grpc.threads.callers import Caller
    from mattermost_plugin._grpc.threads.client_socket import ClientSocket

__all__ = ["SharedConnection"]

#: Requests that are written together as turns go by.
_AT_ONCE: Final = 8
#: Seconds within which a thread that was late is back if it makes one call after the other, and how many
#: times it has to.
_AT_ONCE_BACK: Final = 0.001
_TIMES: Final = 2
_BROKEN: Final = Status(
    StatusCode.UNAVAILABLE, "the connection was given up because a thread was interrupted"
)


class SharedConnection:
    """Makes unary calls.

    Args:
        sock: the socket, connected.
        options: limits and settings.
    """

    def __init__(self, sock: ClientSocket, options: Options) -> None:
        self._socket = sock
        self._core = ClientConnection(options)
        self._lock = threading.Lock()  # guards the core, and what follows
        self._holder: Caller | None = None
        self._reads = False  # whether the holder does; otherwise it runs, or is about to
        self._ready: deque[Caller] = deque()  # whose calls have ended, and who wait for their turn
        self._turns = 0
        self._stalls = 0  # of the watch, one after the other
        self._stalled_at = -1
        self._requests = 0  # that were queued and not written
        self._last_id = 0
        self._retired = False
        self._torn = False  # whether nothing can be made any more of what comes
        self._used_at = time.monotonic()
        self._watch = Watch(lambda: self._turns, self._look_after, "grpc-client-watch")
        # Without the lock.
        self._patience = Patience()  # of who reads
        self._inside: set[Caller] = set()
        self._writing = threading.Lock()  # guards what follows
        self._unsent: bytes | memoryview = b""
        self._handed_id = 0  # the last call that was handed to the socket, and that it has taken any of
        self._taken_id = 0

    @property
    def usable(self) -> bool:
        """Whether the connection will ever take another call."""
        return not self._retired and self._core.usable

    @property
    def in_use(self) -> bool:
        """Whether there are calls."""
        return bool(self._inside)

    def retire(self, *, break_off: bool = False) -> None:
        """Take no more calls and close after the last one; or end those that there are."""
        self._retired = True
        if break_off:
            self._socket.break_off()
        if not self._inside:
            self._close()

    def _close(self) -> None:
        self._watch.stop()
        self._socket.close()

    def call(
        self,
        caller: Caller,
        template: RequestTemplate,
        extra: bytes,
        message: bytes,
        deadline: float | None,
    ) -> Stream | None:
        """Make a call, and return its stream once that has a status; None: it takes none, or not now.

        Args:
            caller: this thread, which has no other call under way here.
            template: the header fields that all calls of the method share.
            extra: further ones, encoded.
            message: the request.
            deadline: by `time.monotonic()`; None: none.

        Raises:
            RpcError: RESOURCE_EXHAUSTED if the request is larger than allowed.
        """
        self._core.check_size(message)
        if caller.holds is not self:
            caller.leave()
        stream: Stream | None = None
        inside = self._inside
        try:
            caller.calling = True
            inside.add(caller)
            if caller.late:
                self._judge(caller)
            next_one: Caller | None = None
            write = False
            with self._lock:
                caller.holds = None
                if self._takes_call():
                    stream = self._request(caller, template, extra, message)
                    next_one = self._wait_for_turn(caller)
                    write = next_one is None or self._requests >= _AT_ONCE
                else:
                    next_one = self._leave(caller)
                    write = self._core.has_output
            if stream is None and next_one is not None:
                next_one.semaphore.post()
            if write:
                self._flush(caller)
            if stream is not None:
                caller.before_waiting()
                self._await(caller, stream, deadline, next_one)
        except BaseException:
            self._rescue(caller, stream)
            raise
        finally:
            caller.calling = False
            inside.discard(caller)
            if self._retired and not inside:
                self._close()
        return stream

    def _judge(self, caller: Caller) -> None:
        """Look whether a thread that was late makes one call after the other again."""
        caller.late = caller.late - 1 if time.monotonic() - caller.returned_at < _AT_ONCE_BACK else _TIMES

    def _request(self, caller: Caller, template: RequestTemplate, extra: bytes, message: bytes) -> Stream:
        """Queue a request, with the lock held."""
        caller.unsafe = True
        stream = self._core.request(template, message, extra)
        caller.unsafe = False
        stream.owner = caller
        self._last_id = stream.id
        self._requests += 1
        return stream

    def _takes_call(self) -> bool:
        """Return whether a call can be made, with the lock held."""
        if self._retired:
            return False
        if not self._reads and not self._core.streams:
            now = time.monotonic()
            if now - self._used_at > FRESH:
                data = self._socket.receive_now()
                if data is not None:
                    self._take_in(data)
            self._used_at = now
        return self._core.can_open

    def _await(self, caller: Caller, stream: Stream, deadline: float | None, next_one: Caller | None) -> None:
        """Wait until a call has ended, reading if that is the thread's; wake `next_one` first."""
        while True:
            if next_one is None and self._holder is caller and self._reads:
                next_one = self._read_for_all(caller, stream, deadline)
                ended = stream.status is not None
            else:
                other = None if next_one is None else next_one.semaphore
                in_time = caller.semaphore.wait(deadline, other)
                next_one = None
                ended = stream.status is not None
                if not ended or caller.queued:
                    next_one = self._look_why(caller, stream, in_time=in_time)
                    ended = stream.status is not None
            if ended:
                break
        if next_one is not None:
            next_one.semaphore.post()
        if caller.late:
            caller.returned_at = time.monotonic()
        elif self._holder is caller:
            caller.holds = self

    def _read_for_all(self, caller: Caller, stream: Stream, deadline: float | None) -> Caller | None:
        """Read once, for all; return who is to be woken."""
        data = self._read(caller, deadline)
        with self._lock:
            if data is not None:
                news = self._take_in(data)
                self._patience.came(len(news))
                self._sort(caller, news)
                caller.unsafe = False
            next_one = self._go_on(caller, stream, deadline)
        if self._core.has_output:
            self._flush(caller)
        return next_one

    def _look_why(self, caller: Caller, stream: Stream, *, in_time: bool) -> Caller | None:
        """Find out why a thread was woken before its turn came; return who is to be woken."""
        next_one: Caller | None = None
        with self._lock:
            if stream.status is not None:
                # Its call has ended, but it is not its turn.
                self._unqueue(caller)
            elif not in_time:
                next_one = self._cut_short(caller, stream)
            elif self._torn:
                stream.status = _BROKEN
            elif self._holder is None:
                self._holder = caller
                self._reads = True
        if not in_time:
            self._flush(caller)
        return next_one

    def leave(self, caller: Caller) -> None:
        """Give up the turn of a thread that does something else now."""
        caller.holds = None
        with self._lock:
            next_one = self._leave(caller)
        if next_one is not None:
            next_one.semaphore.post()
        if self._core.has_output:
            self._flush(caller)

    # ---- whose turn it is, with the lock held

    def _go_on(self, caller: Caller, stream: Stream, deadline: float | None) -> Caller | None:
        """Decide what a thread does after it has read; return who is to be woken."""
        if stream.status is not None:
            if caller.late or not (self._ready or self._core.streams):
                return self._leave(caller)
            self._turns += 1
            self._reads = False
            self._watch.start()
            return None
        if self._torn:
            stream.status = _BROKEN
            return self._leave(caller)
        if self._ready:
            return self._pass_on(caller)
        if deadline is not None and time.monotonic() >= deadline:
            return self._cut_short(caller, stream)
        return None

    def _wait_for_turn(self, caller: Caller) -> Caller | None:
        """Decide what a thread does that is about to wait; return who is to be woken."""
        holder = self._holder
        if holder is caller or holder is None:
            return self._pass_on(caller)
        if not self._reads:
            self._watch.start()  # the holder may never come back
        return None

    def _pass_on(self, caller: Caller) -> Caller | None:
        """Give the connection to the next thread, which is to be woken; None: the caller is to read."""
        self._turns += 1
        if not self._ready:
            self._holder = caller
            self._reads = True
            return None
        return self._next_ready()

    def _next_ready(self) -> Caller:
        self._reads = False
        self._holder = found = self._ready.popleft()
        found.queued = False
        self._watch.start()
        return found

    def _leave(self, caller: Caller) -> Caller | None:
        """Take the connection from a thread, if it holds it; return who is to be woken."""
        if self._holder is not caller:
            return None
        self._turns += 1
        if self._ready:
            return self._next_ready()
        self._holder = None
        self._reads = False
        for stream in self._core.streams.values():
            owner: Caller | None = stream.owner
            if owner is not None and owner is not caller:
                self._reads = True
                self._holder = owner
                break
        return self._holder

    def _take_in(self, data: bytes) -> list[Stream]:
        core = self._core
        if data:
            return core.receive(data)
        for stream in core.streams.values():
            stream.refused = stream.id > self._taken_id
        return core.connection_lost()

    def _sort(self, reader: Caller, news: list[Stream]) -> None:
        """Let the threads go on whose calls have ended, now or when it is their turn."""
        for stream in news:
            owner: Caller | None = stream.owner
            if owner is None or stream.status is None:
                continue
            stream.owner = None
            if owner is reader:
                continue
            if owner.late:
                owner.semaphore.post()
            else:
                owner.queued = True
                self._ready.append(owner)
        if self._core.state is ConnectionState.CLOSED:
            self._wake_ready(len(self._ready))

    def _wake_ready(self, count: int) -> None:
        """Have so many threads go on whose calls have ended, without a turn."""
        for _ in range(count):
            caller = self._ready.popleft()
            caller.queued = False
            caller.semaphore.post()

    def _unqueue(self, caller: Caller) -> None:
        """Have a thread wait for its turn no more."""
        if caller.queued:
            caller.queued = False
            self._ready.remove(caller)

    def _cut_short(self, caller: Caller, stream: Stream) -> Caller | None:
        """End a call at its deadline; return who is to be woken.

        There are no more calls after it: what the server has sent meanwhile would lie in the socket until the
        next call reads it, and a server that cannot finish writing would not get to see that the call has
        ended.
        """
        stream.owner = None
        self._core.cancel(stream, DEADLINE_EXCEEDED)
        self._retired = True
        return self._leave(caller)

    def _rescue(self, caller: Caller, stream: Stream | None) -> None:
        """Leave a call with an exception, wherever it came, and let all others find out how things stand."""
        with self._lock:
            self._retired = True
            if caller.unsafe:
                caller.unsafe = False
                self._torn = True
                self._socket.break_off()
            if stream is not None and stream.status is None:
                stream.owner = None
                self._core.cancel(stream, CANCELLED)
            if self._holder is caller:
                self._holder = None
                self._reads = False
            self._unqueue(caller)
            self._wake_ready(len(self._ready))
        for other in list(self._inside):
            if other is not caller:
                other.semaphore.post()
        self._flush(caller)

    def _look_after(self) -> bool:
        """Have others go on if the one whose turn it is has not come back; return whether to look again."""
        next_one: Caller | None = None
        with self._lock:
            holder = self._holder
            if holder is not None and not self._reads and (self._ready or self._core.streams):
                holder.late = _TIMES
                # One after the other, if it is the only one; all at once they would be in each other's way.
                self._stalls = 2 * self._stalls if self._turns == self._stalled_at else 1
                self._wake_ready(min(self._stalls, len(self._ready)) - 1)
                next_one = self._leave(holder)
                self._stalled_at = self._turns
        if next_one is not None:
            next_one.semaphore.post()
        self._flush(None)
        return bool(self._unsent)

    # ---- the socket

    def _read(self, caller: Caller, deadline: float | None) -> bytes | None:
        """Wait for octets; b"" means that there will be no more, None that none came in time."""
        if not caller.is_main:
            # Those whose calls are under way wait meanwhile, so that looking keeps none of them from work.
            data = self._socket.look(self._patience)
            return self._socket.receive(deadline) if data is None else data
        # A signal may interrupt what waits, but not between the reading and the taking in.
        if not self._socket.wait(POLLIN, deadline):
            return None
        caller.unsafe = True
        return self._socket.receive_now()

    def _flush(self, caller: Caller | None) -> None:
        """Write what the socket takes; if another thread is writing, it takes along what there is."""
        while self._unsent or self._core.has_output:
            if not self._writing.acquire(blocking=False):
                return
            try:
                if caller is not None:
                    caller.unsafe = True
                complete = self._send()
                if caller is not None:
                    caller.unsafe = False
            finally:
                self._writing.release()
            if not complete:
                # Nobody waits for room. What is written here is small.
                self._watch.start()
                return

    def _send(self) -> bool:
        data = self._unsent
        if not data:
            with self._lock:
                data = self._core.data_to_send()
                self._requests = 0
                self._handed_id = self._last_id
        try:
            sent = self._socket.send(data)
        except OSError:
            # Who reads hears of it as well, and perhaps why.
            self._retired = True
            self._unsent = b""
            return True
        if sent:
            self._taken_id = self._handed_id
        self._unsent = memoryview(data)[sent:] if sent < len(data) else b""
        return not self._unsent
