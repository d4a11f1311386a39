"""The errors that Janitor raises, named for what the code that catches them does next."""

import traceback
from collections.abc import Sequence

__all__ = [
    "BadSetting",
    "Cancelled",
    "DeadlineExceeded",
    "Fenced",
    "Interrupted",
    "JanitorError",
    "Rejected",
    "RowRefused",
    "Skip",
    "StatementTimeout",
    "Unavailable",
    "summary",
]


class JanitorError(Exception):
    """Raised when Janitor can say in one sentence what is wrong; its text is that sentence."""


class BadSetting(JanitorError):
    """Raised when a value given from outside is refused: correct the value, then start again.

    `mistakes` are all mistakes, if the value is a file with several.
    """

    mistakes: Sequence[object] = ()

    def __init__(self, name: str, value: object, expected: str) -> None:
        self.name, self.value, self.expected = name, value, expected
        given = "is missing" if value is None else f"is {str(value)!r}"
        super().__init__(f"{name} {given}: {expected}")


class Unavailable(JanitorError):
    """Raised when a server cannot be reached, or gave up midway: the next run tries again."""


class StatementTimeout(Unavailable):
    """Raised when a statement ran over its time limit and was stopped: the next run tries again."""


class Rejected(JanitorError):
    """Raised when a server or a disk says no: a person must change something there."""


class RowRefused(Rejected):
    """Raised when a server refuses a row for what it holds: set that row aside, and write the others."""


class DeadlineExceeded(JanitorError):
    """Raised when a run is over its timeout: end it at once; its outcome is `timed_out`."""


class Cancelled(JanitorError):
    """Raised when a person asked a run to stop: end it at once; its outcome is `cancelled`."""


class Interrupted(Cancelled):
    """Raised when the process is shutting down: end the run at once; the next run goes on where it stopped."""


class Fenced(Interrupted):
    """Raised when another daemon has taken over: write nothing more."""


class Skip(JanitorError):
    """Raised when a task finds nothing to do: its outcome is `skipped`, and this text is the reason."""


def summary(error: BaseException, *, whole: bool = False) -> str:
    """Describe an error that others made, in one line; this cannot fail.

    The line has the error's class and the first line of its text, or with `whole` all lines of its text.
    """
    # The interpreter's own words: they also describe an error whose __str__ fails.
    lines = "".join(traceback.format_exception_only(error)).strip().splitlines() or ["an error without a name"]
    if isinstance(error, SyntaxError):
        lines = lines[-1:]
    return " ".join(lines if whole else lines[:1]).removeprefix(f"{type(error).__module__}.")
