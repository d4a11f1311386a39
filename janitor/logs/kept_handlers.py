"""The root logger's handlers, whatever a task does with them.

basicConfig(force=True), dictConfig, removeHandler    Janitor's handlers stay, at once
a handler of the task's, on stdout or stderr          is not taken: each line would stand there twice, unmasked
another handler of the task's                         is taken; it gets the lines of its job alone, masked
a handler of the task's that raises                   raises in no other code, and is let go
a handler of the task's that waits                    holds up the runs of its job alone
"""

import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Self, SupportsIndex

from janitor.guard import foreign_code
from janitor.logs.mask import Mask
from janitor.runs import current_run


class Masked(logging.Formatter):
    """Another formatter, with secrets masked."""

    def __init__(self, inner: logging.Formatter, mask: Mask) -> None:
        """What `inner` formats is masked."""
        super().__init__()
        self._inner, self._mask = inner, mask

    def format(self, record: logging.LogRecord) -> str:
        """One record, masked."""
        return self._mask(self._inner.format(record))


class Lent:
    """The `handle` of a task's handler: masked, for the lines of the job that added it, and without its errors."""

    def __init__(self, handler: logging.Handler, mask: Mask, on_failure: Callable[[], None]) -> None:
        """A handler that was added outside of runs gets all lines."""
        run = current_run()
        self._handler, self._mask, self._on_failure = handler, mask, on_failure
        self._handle, self._job = handler.handle, run.job if run.id else ""

    def __call__(self, record: logging.LogRecord) -> bool:
        """Handle one record."""
        if self._job and current_run().job != self._job:
            return False
        with foreign_code(self._fail, BaseException):
            # Many set the formatter only after they have added the handler.
            if not isinstance(self._handler.formatter, Masked):
                self._handler.setFormatter(Masked(self._handler.formatter or logging.Formatter(), self._mask))
            return bool(self._handle(record))
        return False

    def _fail(self, error: BaseException) -> None:
        self._on_failure()


class KeptHandlers(list[logging.Handler]):
    """The root logger's handlers: those that were there stay, and what is added keeps secrets."""

    def __init__(self, own: Iterable[logging.Handler], mask: Mask) -> None:
        """`own` stay."""
        self.own, self._mask, self.changed = tuple(own), mask, False
        self._failing: list[logging.Handler] = []
        super().__init__(self.own)

    def append(self, handler: logging.Handler) -> None:
        """Take a handler of a task's, unless it writes to stdout or stderr."""
        if handler in self.own or _writes_to_terminal(handler):
            self.changed = True
            return
        if not isinstance(handler.handle, Lent):
            lent = Lent(handler, self._mask, partial(self._failing.append, handler))
            handler.handle = lent  # type: ignore[method-assign]  # a task knows its handler by itself
        super().append(handler)

    def insert(self, index: SupportsIndex, handler: logging.Handler) -> None:
        """Take a handler of a task's; it comes last, as each that is added."""
        self.append(handler)

    def extend(self, handlers: Iterable[logging.Handler]) -> None:
        """Take handlers of a task's."""
        for handler in list(handlers):
            self.append(handler)

    def __iadd__(self, handlers: Iterable[logging.Handler]) -> Self:  # type: ignore[override,misc]
        """Take handlers of a task's."""
        self.extend(handlers)
        return self

    def __imul__(self, times: SupportsIndex) -> Self:
        """Let all handlers of tasks go, if it is times 0."""
        self[:] = list(self) * times
        return self

    def let_go_of_failing(self) -> bool:
        """Let the handlers of tasks go that have failed; whether there was one."""
        failing = [handler for handler in self._failing if handler in self]
        self._failing.clear()
        for handler in failing:
            super().remove(handler)
        return bool(failing)

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
