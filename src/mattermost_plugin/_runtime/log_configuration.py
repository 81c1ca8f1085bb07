"""Keeps the author's records on their way to the host when `logging` is configured.

Alembic's env.py, Django and many libraries call `fileConfig`, `dictConfig` or `basicConfig(force=True)`.
Each throws away the handlers of the root logger, and the first two disable by default every logger that
exists. In a plugin that would leave the author without a log. So after each of them the root logger has its
handler again, and loggers are enabled that were. All else is as configured: levels, filters, other
handlers.
"""

from __future__ import annotations

import functools
import importlib.machinery
import logging
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import ModuleType

__all__ = ["keep_handler", "stream_handlers"]

_MODULE = "logging.config"


def keep_handler(handler: logging.Handler) -> None:
    """Let the root logger have `handler`, however `logging` is configured from here on."""
    logging.basicConfig = _keeping(logging.basicConfig, handler)
    module = sys.modules.get(_MODULE)
    if module is None:
        # Not imported for this: it costs every plugin 6 ms at its start.
        sys.meta_path.insert(0, _Finder(handler))
    else:
        _change(module, handler)


def stream_handlers() -> Iterator[logging.StreamHandler[Any]]:
    """Yield the handlers of all loggers that write to a stream, files not among them."""
    for logger in (logging.getLogger(), *_loggers()):
        for handler in logger.handlers:
            if isinstance(handler, logging.StreamHandler) and not isinstance(handler, logging.FileHandler):
                yield handler


def _loggers() -> list[logging.Logger]:
    known = list(logging.getLogger().manager.loggerDict.values())
    return [logger for logger in known if isinstance(logger, logging.Logger)]


def _keeping(configure: Callable[..., Any], handler: logging.Handler) -> Callable[..., Any]:
    @functools.wraps(configure)
    def configure_and_keep(*args: Any, **kwargs: Any) -> Any:
        root = logging.getLogger()
        had = handler in root.handlers
        enabled = [logger for logger in _loggers() if not logger.disabled]
        try:
            return configure(*args, **kwargs)
        finally:
            if had and handler not in root.handlers:
                root.addHandler(handler)
            for logger in enabled:
                logger.disabled = False

    return configure_and_keep


def _change(module: ModuleType, handler: logging.Handler) -> None:
    for name in ("fileConfig", "dictConfig"):
        setattr(module, name, _keeping(getattr(module, name), handler))


class _Finder:
    """Finds `logging.config` when it is first imported, and has it changed once it is loaded."""

    def __init__(self, handler: logging.Handler) -> None:
        self._handler = handler

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return how to load it; None: it is another module."""
        if name != _MODULE:
            return None
        sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            load, handler = spec.loader.exec_module, self._handler

            def load_and_change(module: ModuleType) -> None:
                load(module)
                _change(module, handler)

            spec.loader.exec_module = load_and_change  # type: ignore[method-assign] # of this one loader
        return spec
