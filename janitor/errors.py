"""The errors that Janitor raises, named for what the code that catches them does next."""

import traceback
from collections.abc import Sequence
from typing import TypeGuard, TypeVar

Kind = TypeVar("Kind")

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


MOST_REPEATED = 300
"""So many characters of a refused value are repeated."""


class JanitorError(Exception):
    """Raised when Janitor can say in one sentence what is wrong; its text is that sentence."""


class BadSetting(JanitorError):
    """Raised when a value given from outside is refused: correct the value, then start again.

    `mistakes` are all mistakes, if the value is a file with several.
    """

    mistakes: Sequence[object] = ()

    def __init__(self, name: str, value: object, expected: str) -> None:
        self.name, self.value, self.expected = name, value, expected
        given = "is missing" if value is None else f"is {_short(text_of(value))!r}"
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
    text = text_of(_MESSAGE.__get__(error) if is_a(error, SyntaxError) else error)
    lines = [line for line in text.strip().splitlines() if line.strip()]
    told = " ".join(lines if whole else lines[:1])
    return ": ".join(filter(None, (name_of(error), told))) or "an error without a name"


def text_of(value: object) -> str:
    """Give `str(value)` for a value that others made; if that fails, some words in its place: this cannot fail."""
    if type(value) is str:
        return value
    # An exception's own text is the interpreter's to take: whatever its `__str__` raises, a text comes of it.
    return "".join(traceback.format_exception_only(_Text(value))).removesuffix("\n").partition(": ")[2]


def is_a(value: object, kind: type[Kind]) -> TypeGuard[Kind]:
    """Whether a value that others made is of a kind; it is not asked itself, since it may lie, or fail."""
    return issubclass(type(value), kind)


def name_of(value: object) -> str:
    """Give the name of a value's class; this cannot fail, whatever its metaclass does."""
    return str.__str__(_NAME.__get__(type(value)))


def module_of(value: object) -> str:
    """Give the name of the module of a value's class, empty if it is no text; this cannot fail."""
    try:
        found = _MODULE.__get__(type(value))
    except AttributeError:  # a class may delete it
        return ""
    return str.__str__(found) if is_a(found, str) else ""


# Looked up on `type` itself: a metaclass may answer for its classes in any way.
_NAME, _MODULE, _MESSAGE = vars(type)["__qualname__"], vars(type)["__module__"], vars(SyntaxError)["msg"]


def _short(text: str) -> str:
    """A text as a sentence may repeat it."""
    return text if len(text) <= MOST_REPEATED else f"{text[:MOST_REPEATED]}..."


class _Text(Exception):
    """An exception without causes whose text is that of a value."""

    def __init__(self, value: object) -> None:
        super().__init__()
        self._value = value

    def __str__(self) -> str:
        # A plain text, also if the value gives a kind of text of its own.
        return str.__str__(str(self._value))
