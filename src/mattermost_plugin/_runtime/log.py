"""`logging` is the plugin's log: its records, `print`, warnings and uncaught exceptions go to the host."""

from __future__ import annotations

import atexit
import faulthandler
import logging
import sys
import threading
import traceback
from typing import TYPE_CHECKING, Any

from mattermost_plugin._runtime.capture import LoggedStream
from mattermost_plugin._runtime.hclog import LineWriter

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["TRACE", "HostHandler", "install", "level_of"]

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

    def __init__(self, writer: LineWriter) -> None:
        super().__init__()
        self._writer = writer

    def handle(self, record: logging.LogRecord) -> bool:
        """Filter and write one record without a lock: formatting shares nothing, the writer has its own."""
        kept: bool | logging.LogRecord = self.filter(record)
        if not kept:
            return False
        # From Python 3.12 on a filter may answer with another record.
        self.emit(kept if isinstance(kept, logging.LogRecord) else record)
        return True

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        try:
            self._writer.write(
                _level_name(record.levelno), record.getMessage(), record.name, record.created, _fields(record)
            )
        except Exception:  # noqa: BLE001 - logging must not break what it reports on
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Say what is wrong with a record that cannot be formatted, and show it as it was given."""
        self._writer.write(
            "error",
            f"A log record could not be formatted: {record.msg!r} with {record.args!r}",
            record.name,
            record.created,
            {"traceback": traceback.format_exc(), "file": f"{record.pathname}:{record.lineno}"},
        )


def _level_name(level: int) -> str:
    if level >= logging.ERROR:
        return "error"
    if level >= logging.WARNING:
        return "warn"
    if level >= logging.INFO:
        return "info"
    return "debug" if level >= logging.DEBUG else "trace"


def _fields(record: logging.LogRecord) -> dict[str, Any] | None:
    attributes = record.__dict__
    fields: dict[str, Any] | None = None
    # A record without `extra` has exactly the plain attributes: no need to look at each.
    if len(attributes) != _PLAIN_SIZE:
        fields = {key: value for key, value in attributes.items() if key not in _STANDARD}
    if record.exc_info or record.exc_text or record.stack_info:
        fields = fields or {}
        if record.exc_info and record.exc_info[0] is not None:
            fields["traceback"] = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
        elif record.exc_text:
            fields["traceback"] = record.exc_text
        if record.stack_info:
            fields["stack"] = record.stack_info
    return fields


def install(level: str = "") -> None:
    """Make this process's output the host's log; once, a second call does nothing.

    The root logger gets one handler and `level` (`MATTERMOST_PLUGIN_LOG_LEVEL`); `print` becomes info lines,
    `sys.stderr` warn lines, warnings and uncaught exceptions records. A crash of the interpreter leaves its
    traceback as text.
    """
    root = logging.getLogger()
    if any(isinstance(handler, HostHandler) for handler in root.handlers):
        return
    writer = LineWriter()
    # A stream handler that the author's module made by logging.basicConfig() would show every record twice.
    for handler in root.handlers[:]:
        if isinstance(handler, logging.StreamHandler) and handler.stream in _STANDARD_STREAMS:
            root.removeHandler(handler)
    root.addHandler(HostHandler(writer))
    root.setLevel(level_of(level))
    # asyncio tells at debug which selector it uses: of no interest to anybody who reads a server's log.
    logging.getLogger("asyncio").setLevel(max(root.level, logging.INFO))
    out, err = LoggedStream(writer, "info", "stdout", 1), LoggedStream(writer, "warn", "stderr", 2)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    sys.stdout, sys.stderr = out, err
    atexit.register(err.finish)
    atexit.register(out.finish)
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_thread_exception
    sys.unraisablehook = _log_unraisable
    faulthandler.enable(file=2)


_STANDARD_STREAMS = (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)


def _log_uncaught(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
    text = "".join(traceback.format_exception_only(kind, error)).strip()
    logging.getLogger().error("Uncaught exception: %s", text, exc_info=(kind, error, where))


def _log_thread_exception(args: threading.ExceptHookArgs) -> None:
    if args.exc_type is SystemExit or args.exc_value is None:
        return
    name = args.thread.name if args.thread is not None else "?"
    logging.getLogger("threading").error(
        "Uncaught exception in thread %s: %r",
        name,
        args.exc_value,
        exc_info=(args.exc_type, args.exc_value, args.exc_traceback),
    )


def _log_unraisable(args: sys.UnraisableHookArgs) -> None:
    if args.exc_value is None:
        return
    logging.getLogger("python").error(
        "%s: %r",
        args.err_msg or "Exception ignored",
        args.object,
        exc_info=(args.exc_type, args.exc_value, args.exc_traceback),
    )
