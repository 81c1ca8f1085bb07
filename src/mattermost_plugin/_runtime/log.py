"""`logging` is the plugin's log: its records, `print`, warnings and uncaught exceptions go to the host."""

from __future__ import annotations

import atexit
import faulthandler
import logging
import os
import sys
import threading
import traceback
import weakref
from typing import TYPE_CHECKING, Any

from mattermost_plugin._logger import get_logger, send_to
from mattermost_plugin._runtime.capture import LoggedStream
from mattermost_plugin._runtime.log_configuration import keep_handler, stream_handlers
from mattermost_plugin._runtime.log_writer import LogWriter

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

__all__ = ["TRACE", "HostHandler", "finish", "install", "level_of"]

# Below debug, as hclog has it. `logging` has no name for it; `logging.log(TRACE, ...)` works.
TRACE = 5

_LEVELS = {
    "trace": TRACE,
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "off": logging.CRITICAL + 1,
}

# What every record has; whatever else is on one came by `extra`.
_PLAIN = logging.makeLogRecord({}).__dict__
_PLAIN_SIZE = len(_PLAIN)
_STANDARD = frozenset(_PLAIN) | {"message", "asctime", "taskName"}


def level_of(name: str) -> int:
    """Return the `logging` level of an hclog level's name; debug for an empty or unknown one."""
    return _LEVELS.get(name.strip().lower(), logging.DEBUG)


class HostHandler(logging.Handler):
    """Writes records as the host expects them, with `extra` as fields and a traceback as `traceback`."""

    def __init__(self, writer: LogWriter, *, may_wait: bool = True) -> None:
        """Make the handler.

        Args:
            writer: Where lines go.
            may_wait: Whether a thread that logs faster than the host reads is slowed down.
        """
        super().__init__()
        self._writer = writer
        self._may_wait = may_wait

    def handle(self, record: logging.LogRecord) -> bool:
        """Filter and write one record without a lock: formatting shares nothing, the writer has its own."""
        kept: bool | logging.LogRecord = self.filter(record)
        if not kept:
            return False
        # From Python 3.12 on a filter may answer with another record.
        self.emit(kept if isinstance(kept, logging.LogRecord) else record)
        return True

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record, unless another handler of this thread has just written it."""
        if _is_new(record):
            try:
                self._write(record, record.getMessage(), _fields(record))
            except Exception:  # noqa: BLE001 - logging must not break what it reports on
                self.handleError(record)

    def emit_text(self, record: logging.LogRecord, text: str) -> None:
        """Write one record as the text that a stream handler has made of it, traceback included."""
        if _is_new(record):
            self._write(record, text, _extra(record))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Say what is wrong with a record that cannot be formatted, and show it as it was given."""
        self._writer.write(
            "error",
            f"A log record could not be formatted: {record.msg!r} with {record.args!r}",
            record.name,
            record.created,
            {"traceback": traceback.format_exc(), "file": f"{record.pathname}:{record.lineno}"},
            may_wait=self._may_wait,
        )

    def _write(self, record: logging.LogRecord, message: str, fields: dict[str, Any] | None) -> None:
        level = _level_name(record.levelno)
        self._writer.write(level, message, record.name, record.created, fields, may_wait=self._may_wait)


class _Last(threading.local):
    # The record that this thread has written last. Not kept alive: its traceback would be, too.
    record: Callable[[], logging.LogRecord | None] = staticmethod(lambda: None)


_last = _Last()


def _is_new(record: logging.LogRecord) -> bool:
    """Whether a record was not written yet: several handlers may lead to the host."""
    if _last.record() is record:
        return False
    _last.record = weakref.ref(record)
    return True


def _level_name(level: int) -> str:
    if level >= logging.ERROR:
        return "error"
    if level >= logging.WARNING:
        return "warn"
    if level >= logging.INFO:
        return "info"
    return "debug" if level >= logging.DEBUG else "trace"


def _extra(record: logging.LogRecord) -> dict[str, Any] | None:
    attributes = record.__dict__
    # A record without `extra` has exactly the plain attributes: no need to look at each.
    if len(attributes) == _PLAIN_SIZE:
        return None
    return {key: value for key, value in attributes.items() if key not in _STANDARD}


def _fields(record: logging.LogRecord) -> dict[str, Any] | None:
    fields = _extra(record)
    if record.exc_info or record.exc_text or record.stack_info:
        fields = fields or {}
        if record.exc_info and record.exc_info[0] is not None:
            fields["traceback"] = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
        elif record.exc_text:
            fields["traceback"] = record.exc_text
        if record.stack_info:
            fields["stack"] = record.stack_info
    return fields


class HostLog:
    """The log of this process, once the host reads it.

    Attributes:
        writer: Writes the lines.
        handler: What the root logger has for the author's records.
    """

    def __init__(self) -> None:
        self.writer = LogWriter()
        self.handler = HostHandler(self.writer)
        # A stream handler has a lock of its own, for which the event loop may wait: nobody waits behind it.
        text = HostHandler(self.writer, may_wait=False)
        self._out = LoggedStream(self.writer, "info", "stdout", 1, text.emit_text)
        self._err = LoggedStream(self.writer, "warn", "stderr", 2, text.emit_text)

    def take_streams(self) -> None:
        """Take the place of `sys.stdout` and `sys.stderr`, also where a handler of `logging` has them."""
        for handler in stream_handlers():
            if handler.stream in (sys.stdout, sys.__stdout__):
                handler.setStream(self._out)
            elif handler.stream in (sys.stderr, sys.__stderr__):
                handler.setStream(self._err)
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        sys.stdout, sys.stderr = self._out, self._err

    def finish(self) -> None:
        """Write all that is left, before the process ends."""
        self._err.finish()
        self._out.finish()
        self.writer.flush()

    def after_fork(self) -> None:
        """Begin anew in a forked child."""
        self.writer.after_fork()
        self._err.forget()
        self._out.forget()


_log: HostLog | None = None


def install(level: str = "") -> None:
    """Make this process's output the host's log; once, a second call does nothing.

    The root logger gets one handler and `level` (`MATTERMOST_PLUGIN_LOG_LEVEL`); `print` becomes info lines,
    `sys.stderr` warn lines, warnings and uncaught exceptions records. A crash of the interpreter leaves its
    traceback as text.
    """
    global _log  # noqa: PLW0603 - a process has one log
    if _log is not None:
        return
    _log = log = HostLog()
    lowest = level_of(level)
    send_to(HostHandler(log.writer, may_wait=False), lowest)
    root = logging.getLogger()
    # A stream handler that the author's module made by logging.basicConfig() has no format worth keeping.
    for handler in root.handlers[:]:
        if type(handler) is logging.StreamHandler and handler.stream in _STANDARD_STREAMS:
            root.removeHandler(handler)
    root.addHandler(log.handler)
    root.setLevel(lowest)
    # asyncio tells at debug which selector it uses: of no interest to anybody who reads a server's log.
    logging.getLogger("asyncio").setLevel(max(root.level, logging.INFO))
    keep_handler(log.handler)
    log.take_streams()
    atexit.register(log.finish)
    os.register_at_fork(after_in_child=log.after_fork)
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_thread_exception
    sys.unraisablehook = _log_unraisable
    faulthandler.enable(file=2)


def finish() -> None:
    """Write all that is left; nothing if the host does not read this process's log."""
    if _log is not None:
        _log.finish()


_python = get_logger("python")
_threading = get_logger("threading")

_STANDARD_STREAMS = (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)


def _log_uncaught(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
    text = "".join(traceback.format_exception_only(kind, error)).strip()
    _python.error("Uncaught exception: %s", text, exc_info=(kind, error, where))


def _log_thread_exception(args: threading.ExceptHookArgs) -> None:
    if args.exc_type is SystemExit or args.exc_value is None:
        return
    name = args.thread.name if args.thread is not None else "?"
    _threading.error(
        "Uncaught exception in thread %s: %r",
        name,
        args.exc_value,
        exc_info=(args.exc_type, args.exc_value, args.exc_traceback),
    )


def _log_unraisable(args: sys.UnraisableHookArgs) -> None:
    if args.exc_value is None:
        return
    _python.error(
        "%s: %r",
        args.err_msg or "Exception ignored",
        args.object,
        exc_info=(args.exc_type, args.exc_value, args.exc_traceback),
    )
