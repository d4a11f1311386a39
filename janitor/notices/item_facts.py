"""What the rules of items look at, for a job of a pipeline: a step, an inbox or a way of replying."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Failure:
    """A failed try of a step on an item: the item's key, why, and in which run."""

    key: str
    reason: str
    run_id: int | None


@dataclass(frozen=True)
class Streak:
    """The items in a row at which a step failed, since an item last ended well there, at `succeeded_at`.

    `failures` counts no further than was asked for. `newest` is the last of them.
    """

    failures: int = 0
    succeeded_at: datetime | None = None
    newest: Failure | None = None


@dataclass(frozen=True)
class Letters:
    """The dead letters that came to an inbox within a day and that nobody has dropped; the newest with its reason."""

    number: int
    newest_at: datetime
    reason: str


@dataclass(frozen=True)
class Undelivered:
    """The replies of one way that do not arrive: the ids of those that are still tried, and how many were given up.

    `key`, `reason`, `tries` and `added_at` are those of one of them: the last that was given up, or else the one that
    was tried most often.
    """

    failing: tuple[int, ...] = ()
    given_up: int = 0
    key: str = ""
    reason: str = ""
    tries: int = 0
    added_at: datetime | None = None


@dataclass(frozen=True)
class ItemFacts:
    """What is known of a job's items; what does not concern the job, or no rule asks for, is empty.

    `waiting_since` is when the item could have been taken that has waited for longest; None if nothing waits, or may
    not be taken. `fails_in_a_row` and `waits_seconds` are the pipeline's limits.
    """

    streak: Streak = Streak()
    fails_in_a_row: int = 1
    waiting_since: datetime | None = None
    waits_seconds: float = 0.0
    letters: Letters | None = None
    undelivered: Undelivered = Undelivered()
