"""The loggers of the SDK itself, which no configuration of `logging` reaches.

`fileConfig`, `dictConfig`, `basicConfig(force=True)` and `logging.disable` change every logger of the
process. What the runtime has to say about a failed hook must reach the host all the same. So its loggers are
not among those that `logging` knows: under a host they have one handler of their own. Without a host (in an
author's tests) their records go to the ordinary logger of the same name.
"""

from __future__ import annotations

import logging

__all__ = ["RuntimeLogger", "get_logger", "send_to"]


class RuntimeLogger(logging.Logger):
    """A logger outside of the hierarchy of `logging`."""

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - logging's name
        """Whether the host wants records of this level."""
        if self.handlers:
            return level >= self.level
        return logging.getLogger(self.name).isEnabledFor(level)

    def makeRecord(  # type: ignore[no-untyped-def] # noqa: N802 - logging's signature
        self, name, level, fn, lno, msg, args, exc_info, func=None, extra=None, sinfo=None
    ) -> logging.LogRecord:
        """Make a record of the plain kind, whatever record factory the author has set."""
        record = logging.LogRecord(name, level, fn, lno, msg, args, exc_info, func, sinfo)
        record.__dict__.update(extra or {})
        return record

    def handle(self, record: logging.LogRecord) -> None:
        """Pass a record on: to the host, or without one to the ordinary logger of this name."""
        if self.handlers:
            self.callHandlers(record)
        else:
            logging.getLogger(self.name).handle(record)


_loggers: dict[str, RuntimeLogger] = {}
_host: list[logging.Handler] = []
_level = logging.NOTSET


def get_logger(name: str) -> logging.Logger:
    """Return the runtime's logger of this name."""
    logger = _loggers.get(name)
    if logger is None:
        logger = _loggers[name] = RuntimeLogger(name, _level)
        logger.handlers = list(_host)
    return logger


def send_to(handler: logging.Handler, level: int) -> None:
    """Send what all loggers of the runtime say to `handler`, from `level` on."""
    global _level  # noqa: PLW0603 - there is one host
    _host[:] = [handler]
    _level = level
    for logger in _loggers.values():
        logger.handlers = [handler]
        logger.level = level
