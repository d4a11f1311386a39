"""How a job's runs ended, as far as the rules need to know."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from janitor.runs import Outcome

MOST_SINCE = 50
"""How many records after the last success are kept."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A record of the history: a run that ended, or `slots` missed slots in a row.

    `rows` is None if the run returned no counts.
    """

    id: int
    outcome: Outcome
    origin: str
    slot_at: datetime | None
    slots: int
    started_at: datetime
    ended_at: datetime
    seconds: float
    reason: str
    rows: int | None


@dataclass(frozen=True, slots=True)
class Running:
    """A run that has not ended."""

    id: int
    origin: str
    slot_at: datetime | None
    started_at: datetime


@dataclass(frozen=True, slots=True)
class History:
    """A job's last successes, and the records `since` the last success; the oldest first.

    `failures` counts the failed and timed-out runs since the last success. `after_missed` is True if slots were
    missed just before the newest record.
    """

    successes: tuple[Ended, ...] = ()
    since: tuple[Ended, ...] = ()
    failures: int = 0
    after_missed: bool = False

    def and_then(self, record: Ended, keep: int) -> "History":
        """Return the history with one more record, and with at most `keep` successes."""
        after_missed = self.ends_missed
        if record.outcome is Outcome.SUCCEEDED:
            return History((*self.successes[-keep + 1 :], record), after_missed=after_missed)
        failures = self.failures + (record.outcome in (Outcome.FAILED, Outcome.TIMED_OUT))
        since = (*self.since[-MOST_SINCE + 1 :], record)
        return replace(self, since=since, failures=failures, after_missed=after_missed)

    @property
    def ends_missed(self) -> bool:
        """Whether the newest record tells of missed slots."""
        return bool(self.since) and self.since[-1].outcome is Outcome.MISSED

    @property
    def runs(self) -> Sequence[Ended]:
        """The known runs, the oldest first, without the records of missed slots."""
        return [*self.successes, *(record for record in self.since if record.outcome is not Outcome.MISSED)]

    @property
    def last_run(self) -> Ended | None:
        """The newest run that ended; None if none is known."""
        return next(iter(self.runs[::-1]), None)

    def newest(self, *outcomes: Outcome) -> Ended | None:
        """Return the newest record since the last success with one of the outcomes; None if there is none."""
        return next((record for record in reversed(self.since) if record.outcome in outcomes), None)
