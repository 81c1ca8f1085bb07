"""Writes log lines to the host without waiting for it.

Whoever logs writes the line itself, as long as the pipe to the host takes it: nothing is lost when the
process dies in the next moment, and no other thread is concerned. What the pipe does not take goes into a
bounded buffer, and a thread writes it when there is room. The descriptor is one of the writer's own: what
the author does to file descriptor 2 or to `sys.stderr` does not concern it, and that it does not block is
not passed on to child processes.
"""

from __future__ import annotations

import contextlib
import os
import select
import stat
import sys
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from mattermost_plugin._runtime.hclog import format_line, record_lines

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LogWriter"]

# Bytes that wait for the host at most; errors have as many once more. A hundredth of what a plugin may take,
# and some 20,000 lines.
_CAPACITY = 4 << 20

# From here on a thread that logs waits until the host has read on.
_SLOW_FROM = _CAPACITY // 2

# Seconds without any progress after which the host counts as stuck. Then nobody waits for it any more.
_STUCK_AFTER = 1.0

# Seconds for which identical lines are counted before their number is written, at first and later.
_FIRST_COUNT, _NEXT_COUNT = 1.0, 10.0

# Characters of a repeated message that are shown again with its number.
_SHOWN = 200

# Seconds that the end of the process waits for the host to read what is left.
_FLUSH = 1.0


class LogWriter:
    """Writes log lines to a file descriptor, whole ones, from any thread."""

    def __init__(self, fd: int = 2) -> None:
        self._fd, self._atomic = _own_descriptor(fd)
        self._capacity = _CAPACITY
        self._start_anew()

    def _start_anew(self) -> None:
        # Re-entrant: a finalizer or signal handler may log while its thread is in here.
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._busy = False
        self._queue: deque[bytes] = deque()
        self._size = 0  # bytes in the queue
        self._progress_at = 0.0  # by `time.monotonic()`: when something was last written
        self._dropped: dict[str, int] = {}
        self._thread: threading.Thread | None = None
        self._ended = False
        self._last = b""  # what the last line said, and when
        self._last_at = 0.0
        self._repeats = 0
        self._repeated: tuple[str, str, str, float] = ("", "", "", 0.0)
        self._repeated_line = b""
        self._count_until = 0.0
        self._count_for = _FIRST_COUNT

    def after_fork(self) -> None:
        """Begin anew in a forked child: locks may be held by threads that it does not have.

        What waits to be written is the parent's to write.
        """
        self._start_anew()

    def write(
        self,
        level: str,
        message: str,
        module: str,
        timestamp: float,
        fields: Mapping[str, Any] | None = None,
        *,
        may_wait: bool = True,
    ) -> None:
        """Write one record, or keep it until the host reads on.

        Args:
            level: `trace`, `debug`, `info`, `warn` or `error`.
            message: Any text.
            module: Name of the logger.
            timestamp: Seconds since the epoch.
            fields: What else the record carries.
            may_wait: Whether a thread that runs no event loop waits while the buffer is half full, so that
                one which logs without a pause is slowed down to what the host reads.
        """
        said, lines = record_lines(level, message, module, timestamp, fields)
        with self._lock:
            if self._busy:
                self._queue.extend(lines)
                self._size += sum(map(len, lines))
                return
            self._busy = True
            try:
                if len(lines) == 1 and self._is_repeated(said):
                    self._repeated, self._repeated_line = (level, message, module, timestamp), lines[0]
                else:
                    self._end_repeats()
                    self._put(level, b"".join(lines))
                    self._last, self._last_at = (said if len(lines) == 1 else b""), time.monotonic()
            finally:
                self._busy = False
                if self._queue:
                    self._start_thread()
            slow = may_wait and self._size > _SLOW_FROM
        if slow and not _runs_event_loop():
            self._wait_for_room()

    def flush(self, seconds: float = _FLUSH) -> None:
        """Write what is left, for at most so many seconds; afterwards every record waits as long."""
        deadline = time.monotonic() + seconds
        with self._lock:
            self._ended = True
            self._end_repeats()
        while True:
            with self._lock:
                self._write_queue()
                if not self._queue:
                    return
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return
            _wait_until_writable(self._fd, remaining)

    # ---- with the lock held

    def _is_repeated(self, said: bytes) -> bool:
        """Whether this is the last line again, right after it; it is counted then."""
        now = time.monotonic()
        if said != self._last or now - self._last_at > _FIRST_COUNT or self._ended:
            return False
        self._last_at = now
        if not self._repeats:
            self._count_until = now + self._count_for
            self._start_thread()
        self._repeats += 1
        return True

    def _end_repeats(self, *, goes_on: bool = False) -> None:
        """Write how often the last line was repeated, or the line itself if that was once."""
        repeats, self._repeats = self._repeats, 0
        self._count_for = _NEXT_COUNT if goes_on else _FIRST_COUNT
        if not repeats:
            return
        level, message, module, timestamp = self._repeated
        line = self._repeated_line
        if repeats > 1:
            shown = message if len(message) <= _SHOWN else message[:_SHOWN] + "..."
            line = format_line(
                level, f"{shown} (repeated {repeats} times)", module, timestamp, {"repeated": repeats}
            )
        self._put(level, line)

    def _put(self, level: str, data: bytes) -> None:
        if not self._queue:
            data = self._write_some(data)
            if not data:
                return
            if self._ended:
                # Nobody writes later.
                while data and _wait_until_writable(self._fd, _FLUSH):
                    data = self._write_some(data)
                return
            self._progress_at = time.monotonic()
            # Before what was logged meanwhile: the line may have been begun.
            self._queue.appendleft(data)
        elif self._size + len(data) > self._capacity * (2 if level == "error" else 1):
            self._dropped[level] = self._dropped.get(level, 0) + 1
            return
        else:
            self._queue.append(data)
        self._size += len(data)

    def _write_some(self, data: bytes) -> bytes:
        """Write what can be written now, and return the rest."""
        rest = memoryview(data)
        while rest:
            try:
                if self._atomic and not _wait_until_writable(self._fd, 0):
                    break
                written = os.write(self._fd, rest[: self._atomic or len(rest)])
            except BlockingIOError:
                break
            except OSError:
                return b""  # there is nobody left to tell
            rest = rest[written:]
            self._progress_at = time.monotonic()
        return bytes(rest)

    def _write_queue(self) -> None:
        busy, self._busy = self._busy, True
        while self._queue:
            data = self._queue.popleft()
            self._size -= len(data)
            rest = self._write_some(data)
            if rest:
                self._queue.appendleft(rest)
                self._size += len(rest)
                break
        self._busy = busy
        if self._dropped and self._size <= _SLOW_FROM:
            dropped, self._dropped = self._dropped, {}
            self._put("error", _dropped_line(dropped))
        self._changed.notify_all()

    def _start_thread(self) -> None:
        if self._thread is None and not self._ended:
            self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
            # No thread can be started while the interpreter ends; then `flush` writes.
            with contextlib.suppress(RuntimeError):
                self._thread.start()
        else:
            self._changed.notify_all()

    # ---- without it

    def _wait_for_room(self) -> None:
        with self._lock:
            while self._size > _SLOW_FROM and not self._ended:
                stuck_in = self._progress_at + _STUCK_AFTER - time.monotonic()
                if stuck_in <= 0:
                    return
                self._changed.wait(stuck_in)

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._queue:
                    self._changed.wait(self._count_until - time.monotonic() if self._repeats else None)
                if self._repeats and time.monotonic() >= self._count_until:
                    self._end_repeats(goes_on=True)
                waits = bool(self._queue)
            if waits:
                _wait_until_writable(self._fd, None)
                with self._lock:
                    self._write_queue()


def _own_descriptor(fd: int) -> tuple[int, int]:
    """Return a descriptor for what `fd` is, and how many bytes can be written at once without waiting.

    0 bytes: any number; the descriptor does not block. That is a property which duplicates share, and
    children inherit. So a pipe is opened anew, where the system lets one; otherwise so much is written that
    a pipe ready to be written takes it.
    """
    try:
        if stat.S_ISFIFO(os.fstat(fd).st_mode):
            with contextlib.suppress(OSError):
                return os.open(f"/proc/self/fd/{fd}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC), 0
        return os.dup(fd), select.PIPE_BUF
    except OSError:
        return fd, select.PIPE_BUF


def _wait_until_writable(fd: int, seconds: float | None) -> bool:
    """Wait until something can be written, or until writing fails; False: `seconds` passed before."""
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    return bool(poll.poll(None if seconds is None else seconds * 1000))


def _runs_event_loop() -> bool:
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return False
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _dropped_line(dropped: Mapping[str, int]) -> bytes:
    counts = ", ".join(f"{number} {level}" for level, number in dropped.items())
    return format_line(
        "warn",
        f"Log records were lost, because more was logged than the host could read: {counts}",
        "mattermost_plugin.log",
        time.time(),
        {f"lost_{level}": number for level, number in dropped.items()},
    )
