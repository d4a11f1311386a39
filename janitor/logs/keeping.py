"""Keeping the logging of this process as it was set up, whatever a task does with it.

basicConfig(force=True), dictConfig, removeHandler    Janitor's handlers stay, at once
a handler of the task's, on stdout or stderr          is not taken: each line would stand there twice, unmasked
another handler of the task's                         is taken; its lines are masked
levels, filters, formatters, disable, `handlers = []` are put back at the next look: at a run's end, or in a second
"""

import logging
import threading
from collections.abc import Iterable, Iterator
from typing import Any, SupportsIndex

from janitor.logs.mask import Mask
from janitor.logs.outlet import Outlet

HANDLERS = "the log handlers"


class Masked(logging.Formatter):
    """Another formatter, with secrets masked."""

    def __init__(self, inner: logging.Formatter, mask: Mask) -> None:
        """What `inner` formats is masked."""
        super().__init__()
        self._inner, self._mask = inner, mask

    def format(self, record: logging.LogRecord) -> str:
        """One record, masked."""
        return self._mask(self._inner.format(record))


class KeptHandlers(list[logging.Handler]):
    """The root logger's handlers: those that were there stay, and what is added keeps secrets."""

    def __init__(self, own: Iterable[logging.Handler], mask: Mask) -> None:
        """`own` stay."""
        self.own, self._mask, self.changed = tuple(own), mask, False
        super().__init__(self.own)

    def append(self, handler: logging.Handler) -> None:
        """Take a handler of a task's, unless it writes to stdout or stderr."""
        if handler in self.own or _writes_to_terminal(handler):
            self.changed = True
            return
        if not isinstance(handler.formatter, Masked):
            handler.setFormatter(Masked(handler.formatter or logging.Formatter(), self._mask))
        super().append(handler)

    def remove(self, handler: logging.Handler) -> None:
        """Let a task's handler go."""
        if handler in self.own:
            self.changed = True
        else:
            super().remove(handler)

    def clear(self) -> None:
        """Let all handlers of tasks go."""
        self[:] = []

    def pop(self, index: SupportsIndex = -1) -> logging.Handler:
        """Let a task's handler go; one of ours is given and stays."""
        handler = self[index]
        self.remove(handler)
        return handler

    def __setitem__(self, index: Any, value: Any) -> None:
        """Replace handlers of tasks."""
        wanted = list(self)
        wanted[index] = value
        self.changed = self.changed or any(handler not in wanted for handler in self.own)
        super().__setitem__(slice(None), self.own)
        for handler in wanted:
            if handler not in self.own:
                self.append(handler)

    def __delitem__(self, index: Any) -> None:
        """Let handlers of tasks go."""
        gone = self[index] if isinstance(index, slice) else [self[index]]
        for handler in gone:
            self.remove(handler)


def _writes_to_terminal(handler: logging.Handler) -> bool:
    try:
        return isinstance(handler, logging.StreamHandler) and handler.stream.fileno() in (1, 2)
    except (OSError, ValueError, AttributeError):
        return False


class KeptLogging:
    """Logging as it was when this was made."""

    def __init__(self, mask: Mask) -> None:
        """The root logger's handlers stay from now on."""
        self._root = logging.getLogger()
        self._handlers = KeptHandlers(self._root.handlers, mask)
        self._root.handlers = self._handlers
        self._of_loggers = [(one, _of_logger(one)) for one in [self._root, *_own_loggers()]]
        self._of_handlers = [(one, _of_handler(one)) for one in self._handlers.own]
        self._disabled_below = self._root.manager.disable
        self._excepthook = threading.excepthook
        self._were_disabled = _disabled()

    def put_back(self) -> Iterator[str]:
        """Put back what was changed, and tell each in words."""
        if self._root.handlers is not self._handlers:
            found, self._root.handlers = self._root.handlers, self._handlers
            self._handlers[:] = found
        if self._handlers.changed:
            self._handlers.changed = False
            yield HANDLERS
        if others := [(logger, kept) for logger, kept in self._of_loggers if _of_logger(logger) != kept]:
            for logger, kept in others:
                logger.setLevel(kept[0])
                logger.propagate, logger.filters[:] = kept[1], kept[2]
            yield "the level of a logger"
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


def _of_logger(logger: logging.Logger) -> tuple[int, bool, tuple[Any, ...]]:
    return logger.level, logger.propagate, tuple(logger.filters)


def _of_handler(handler: logging.Handler) -> tuple[int, logging.Formatter | None, Any, tuple[Any, ...]]:
    stream = getattr(handler, "stream", None)
    # On a terminal, bars take the stream over for a while.
    return handler.level, handler.formatter, stream if isinstance(stream, Outlet) else None, tuple(handler.filters)
