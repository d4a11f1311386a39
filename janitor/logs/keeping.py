"""Keeping the logging of this process as it was set up, whatever a task does with it.

handlers of the root logger                           Janitor's stay, at once         kept_handlers.py
levels, filters, formatters, disable, `handlers = []` are put back at the next look: at a run's end, or in a second
handlers of Janitor's loggers, setLogRecordFactory    the same
"""

import logging
import threading
from collections.abc import Iterator
from typing import Any

from janitor.logs.kept_handlers import KeptHandlers
from janitor.logs.mask import Mask
from janitor.logs.outlet import Outlet

HANDLERS = "the log handlers"
OfLogger = tuple[int, bool, tuple[Any, ...], tuple[logging.Handler, ...]]
"""The level of a logger, whether its lines go on to the root logger, its filters, and its own handlers."""


class KeptLogging:
    """Logging as it was when this was made."""

    def __init__(self, mask: Mask) -> None:
        """The root logger's handlers stay from now on."""
        self._root = logging.getLogger()
        self._handlers = KeptHandlers(self._root.handlers, mask)
        self._root.handlers = self._handlers
        self._of_loggers = {one: _of_logger(one) for one in [self._root, *_own_loggers()]}
        self._of_handlers = [(one, _of_handler(one)) for one in self._handlers.own]
        self._disabled_below = self._root.manager.disable
        self._excepthook, self._make_record = threading.excepthook, logging.getLogRecordFactory()
        self._were_disabled = _disabled()

    def put_back(self) -> Iterator[str]:
        """Put back what was changed, and tell each in words."""
        if self._root.handlers is not self._handlers:
            found, self._root.handlers = self._root.handlers, self._handlers
            self._handlers[:] = found
        # First, since what is told is logged.
        if logging.getLogRecordFactory() is not self._make_record:
            logging.setLogRecordFactory(self._make_record)
            yield "logging.setLogRecordFactory"
        if self._handlers.changed:
            self._handlers.changed = False
            yield HANDLERS
        if self._handlers.let_go_of_failing():
            yield "a log handler that fails"
        if others := [one for one in [self._root, *_own_loggers()] if _of_logger(one) != self._kept(one)]:
            for logger in others:
                kept = self._kept(logger)
                logger.setLevel(kept[0])
                logger.propagate, logger.filters[:] = kept[1], kept[2]
                if logger is not self._root:
                    logger.handlers[:] = kept[3]
            yield "a logger of Janitor's"
        if changed := [(handler, kept) for handler, kept in self._of_handlers if _of_handler(handler) != kept]:
            for handler, (level, formatter, stream, filters) in changed:
                handler.level, handler.formatter, handler.filters[:] = level, formatter, filters
                if isinstance(handler, logging.StreamHandler) and stream is not None:
                    handler.stream = stream
            yield "a log handler of Janitor's"
        if self._root.manager.disable != self._disabled_below:
            logging.disable(self._disabled_below)
            yield "logging.disable"
        if self._enable_all():
            yield "loggers, which are disabled"
        if threading.excepthook is not self._excepthook:
            threading.excepthook = self._excepthook
            yield "threading.excepthook"

    def _kept(self, logger: logging.Logger) -> OfLogger:
        """How a logger was; a logger that came later was plain."""
        return self._of_loggers.get(logger, (logging.NOTSET, True, (), ()))

    def _enable_all(self) -> bool:
        """Let every logger log, if dictConfig has disabled them all: then it has disabled ours too."""
        disabled = _disabled() - self._were_disabled
        for logger in disabled:
            logger.disabled = False
        return bool(disabled)


def _loggers() -> list[logging.Logger]:
    return [one for one in list(logging.getLogger().manager.loggerDict.values()) if isinstance(one, logging.Logger)]


def _own_loggers() -> list[logging.Logger]:
    return [one for one in _loggers() if one.name.partition(".")[0] == "janitor"]


def _disabled() -> set[logging.Logger]:
    return {one for one in _loggers() if one.disabled}


def _of_logger(logger: logging.Logger) -> OfLogger:
    handlers = () if logger is logger.root else tuple(logger.handlers)
    return logger.level, logger.propagate, tuple(logger.filters), handlers


def _of_handler(handler: logging.Handler) -> tuple[int, logging.Formatter | None, Any, tuple[Any, ...]]:
    stream = getattr(handler, "stream", None)
    # On a terminal, bars take the stream over for a while.
    return handler.level, handler.formatter, stream if isinstance(stream, Outlet) else None, tuple(handler.filters)
