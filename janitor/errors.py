"""The errors that Janitor raises, named for what whoever catches them does next."""

import traceback


class JanitorError(Exception):
    """Raised when Janitor can say in one sentence what is wrong; its text is that sentence."""


class BadSetting(JanitorError):
    """Raised when a value given from outside is refused: correct the value, then start again."""

    def __init__(self, name: str, value: object, expected: str) -> None:
        self.name, self.value, self.expected = name, value, expected
        given = "is missing" if value is None else f"is {str(value)!r}"
        super().__init__(f"{name} {given}: {expected}")


class Unavailable(JanitorError):
    """Raised when a server cannot be reached or gave up midway: the next run tries again."""


class StatementTimeout(Unavailable):
    """Raised when a statement ran over its time limit and was stopped: the next run tries again."""


class Rejected(JanitorError):
    """Raised when a server or a disk says no: a person must change something there."""


class DeadlineExceeded(JanitorError):
    """Raised when a run is over its timeout: end it at once, its outcome is `timed_out`."""


class Cancelled(JanitorError):
    """Raised when a person asked a run to stop: end it at once, its outcome is `cancelled`."""


class Interrupted(Cancelled):
    """Raised when the process is shutting down: end the run at once, the next one goes on where this one stopped."""


class Fenced(Interrupted):
    """Raised when another daemon has taken over: write nothing more."""


class Skip(JanitorError):
    """Raised when a task finds that there is nothing to do: its outcome is `skipped`, with this text as the reason."""


def summary(error: BaseException) -> str:
    """An error that is not Janitor's as one line: its class and the first line of its text."""
    # The interpreter's own words, as they also take an error whose __str__ fails.
    lines = "".join(traceback.format_exception_only(error)).strip().splitlines()
    words = lines[-1 if isinstance(error, SyntaxError) else 0]
    return words.removeprefix(f"{type(error).__module__}.")
