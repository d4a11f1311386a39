"""A duty: what a process does again and again, and what no error may end.

    do ── it ends well ──> its value
     └─── it raises ─────> told, counted, and done again after a pause that grows

1. A failure is told once, with its traceback. It is the same failure if the same line raises the same kind of error.
2. `aside` guards one record within a duty: a record that raises is set aside, and what comes after it goes on.
3. From the third failure on the duty is in trouble, until it has done well for a minute. It may never be done again: so
   the trouble is over, too, if nothing has failed for five minutes.
4. A person is told of a trouble by what listens: see `Loops`.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from typing import Generic, TypeVar

from janitor.errors import JanitorError, is_a, name_of, summary
from janitor.guard import foreign_code

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
AGAIN_AND_AGAIN = 3
"""From so many failures on, a duty is in trouble."""
WELL_SECONDS = 60.0
"""For how long a duty must do well before its failures are over."""
QUIET_SECONDS = 300.0
"""After so long without a failure the failures are over, even if the duty is not done any more."""
MOST_TOLD = 100
"""How many different failures are told until they are over."""
MOST_CHARACTERS = 300

Done = TypeVar("Done")
Passing = Callable[[BaseException], bool]
"""Which errors are raised, and are no failures."""


def no_error(error: BaseException) -> bool:
    """Let no error pass."""
    return False


def named_errors(error: BaseException) -> bool:
    """Let the errors pass that Janitor has a name for: a server that is away, say, is no fault of the duty."""
    return is_a(error, JanitorError)


@dataclass(frozen=True)
class Trouble:
    """A duty that fails again and again: its name, since when, how often, and why it failed last, without secrets.

    Or something else that a person must know, with no failures: the daemon works all the same.
    """

    duty: str
    since: datetime
    failures: int
    why: str

    def __str__(self) -> str:
        if not self.failures:
            return self.why
        return f"{self.duty} fails again and again, {self.failures} times since {self.since:%H:%M:%S} UTC: {self.why}"


@dataclass(frozen=True)
class _Failures:
    """The failures that are not over: since when, how many, the last, and the kinds that were told."""

    since: datetime
    count: int
    last: float
    why: str
    told: frozenset[object]


class Duty(Generic[Done]):
    """A body that is done again and again, from one thread or several."""

    def __init__(
        self,
        name: str,
        body: Callable[[], Done],
        passes: Passing = no_error,
        on_trouble: Callable[[Trouble, bool], None] = lambda trouble, over: None,
        mask: Callable[[str], str] = str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Errors that `passes` lets pass are raised, and are no failures.

        `on_trouble` is called when a trouble begins, and with True when it is over.
        """
        self.name, self._body, self._passes = name, body, passes
        self._on_trouble, self._mask, self._clock = on_trouble, mask, clock
        self._counting = threading.Lock()
        self._failures: _Failures | None = None
        self._in_a_row = 0
        self.failed = 0
        """How often it failed since the process began."""

    def do(self) -> Done | None:
        """Do it once; None if it failed."""
        with foreign_code(self._fail, BaseException):
            done = self._body()
            self._in_a_row = 0
            self._go_well()
            return done
        return None

    @contextmanager
    def aside(self, record: str, passes: Passing = named_errors) -> Iterator[None]:
        """During the block, handle one record; if that fails, the block ends, and the record is set aside.

        Errors that `passes` lets pass are raised: a server that is away concerns more than one record.
        """
        with foreign_code(partial(self._set_aside, record, passes)):
            yield
            self._go_well()

    def pause(self, seconds: float | None) -> float | None:
        """How long to wait until it is done again, if it asked for so many seconds; None: until something happens."""
        if self._in_a_row:
            return min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** min(self._in_a_row - 1, 20))
        if self._failures is not None:
            # Somebody has to notice that its failures are over.
            return WELL_SECONDS if seconds is None else min(seconds, WELL_SECONDS)
        return seconds

    def end_old_failures(self) -> None:
        """Let its failures be over if the last is long ago, even if it is not done any more."""
        if (failures := self._end_failures(QUIET_SECONDS)) is not None:
            quiet = self._clock() - failures.last
            log.info("%s has not failed for %.0f s: its %d failures are over", self.name, quiet, failures.count)

    @property
    def has_failed(self) -> bool:
        """Whether it failed when it was last done."""
        return self._in_a_row > 0

    @property
    def trouble(self) -> Trouble | None:
        """Its trouble; None if it does well, or failed only once or twice."""
        failures = self._failures
        return None if failures is None else self._trouble_of(failures)

    def _fail(self, error: BaseException) -> None:
        if self._passes(error):
            raise error
        self._in_a_row += 1
        self._count(error, "")

    def _set_aside(self, record: str, passes: Passing, error: BaseException) -> None:
        if passes(error):
            raise error
        self._count(error, record)

    def _count(self, error: BaseException, record: str) -> None:
        kind, why = (type(error), _line_of(error), record), name_of(error)
        with foreign_code(lambda error: None):
            why = self._mask(summary(error))[:MOST_CHARACTERS]
        with self._counting:
            self.failed += 1
            before = self._failures
            told = before.told if before else frozenset()
            is_new = kind not in told and len(told) < MOST_TOLD
            since = before.since if before else datetime.now(timezone.utc)
            count, whole = (before.count if before else 0) + 1, f"{record}: {why}" if record else why
            self._failures = failures = _Failures(since, count, self._clock(), whole, told | {kind} if is_new else told)
        # Telling may fail as well: a traceback may be too deep to be written.
        with foreign_code(lambda error: None):
            if is_new and record:
                log.error("%s: %s is set aside, and the rest goes on: %s", self.name, record, why, exc_info=error)
            elif is_new:
                log.error("%s failed, and goes on: %s", self.name, why, exc_info=error)
        if count == AGAIN_AND_AGAIN:
            self._tell(failures, over=False)

    def _go_well(self) -> None:
        if (failures := self._end_failures(WELL_SECONDS)) is not None:
            log.info("%s goes well again, after %d failures", self.name, failures.count)

    def _end_failures(self, seconds: float) -> _Failures | None:
        """End its failures if the last is so long ago, and tell if that ends a trouble; what they were."""
        before = self._failures
        if before is None:
            return None
        with self._counting:
            failures = self._failures
            if failures is None or self._clock() - failures.last < seconds:
                return None
            self._failures = None
        self._tell(failures, over=True)
        return failures

    def _trouble_of(self, failures: _Failures) -> Trouble | None:
        if failures.count < AGAIN_AND_AGAIN:
            return None
        return Trouble(self.name, failures.since, failures.count, failures.why)

    def _tell(self, failures: _Failures, *, over: bool) -> None:
        if (trouble := self._trouble_of(failures)) is not None:
            with foreign_code(lambda error: None):
                self._on_trouble(trouble, over)


def _line_of(error: BaseException) -> tuple[str, int]:
    """The line that raised an error."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return (trace.tb_frame.f_code.co_filename, trace.tb_lineno) if trace is not None else ("", 0)
