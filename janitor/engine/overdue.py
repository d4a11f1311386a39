"""Which jobs are overdue: they have had no success within twice their schedule, whatever the cause.

    last success     1st slot      2nd slot       + how long the last success took, + 5 s
    ─────●───────────────┼─────────────┼──────────────┼────────>
                                                      overdue from here on

A run that skips, since it finds nothing to do, counts as a success here; a slot that is skipped does not.
"""

import functools
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Protocol

from apscheduler.triggers.base import BaseTrigger
from sqlalchemy import Connection

from janitor.guard import foreign_code
from janitor.jobs.job import Job
from janitor.jobs.slots import next_slot
from janitor.runs import Outcome
from janitor.state import job_records, recent
from janitor.state.job_records import JobRecord

SLACK = timedelta(seconds=5)
"""How much longer a run may take than the last success: a hiccup makes no job of every second overdue."""


class Success(Protocol):
    """A run that succeeded, as far as it matters here."""

    @property
    def ended_at(self) -> datetime:
        """When it ended."""

    @property
    def seconds(self) -> float:
        """How long it took."""


def of_jobs(connection: Connection, jobs: Iterable[Job], now: datetime) -> dict[str, datetime]:
    """Since when each overdue job is so."""
    known, successes = job_records.all_jobs(connection), recent.last_ended(connection, (Outcome.SUCCEEDED,))
    return among(jobs, known, successes, recent.signs_of_life(connection), now)


def among(
    jobs: Iterable[Job],
    known: Mapping[str, JobRecord],
    successes: Mapping[str, Success],
    others: Mapping[str, datetime],
    now: datetime,
) -> dict[str, datetime]:
    """As `of_jobs`, from what is read already: the jobs' records, their last successes, and other signs of life."""
    found = {}
    for job in jobs:
        record, success = known.get(job.id), successes.get(job.id)
        if record is None or not job.enabled or record.paused_at is not None:
            continue
        moments = [record.enabled_at, others.get(job.id), success.ended_at if success else None]
        last = max(moment for moment in moments if moment is not None)
        at = overdue_at(job.trigger, last, (success.seconds or 0.0) if success else 0.0)
        if at is not None and at <= now:
            found[job.id] = at
    return found


def overdue_at(trigger: BaseTrigger, last: datetime, seconds: float) -> datetime | None:
    """When a job becomes overdue, if its last success ended at `last` and took `seconds`; None: never.

    A job without a success counts from when it was switched on, resumed, or found nothing to do.
    """
    second = None
    # A trigger may be others' code: that it raises concerns no other job, and is not remembered.
    with foreign_code(lambda error: None):
        second = _second_slot(trigger, last)
    return None if second is None else second + timedelta(seconds=seconds) + SLACK


@functools.lru_cache(maxsize=4096)
def _second_slot(trigger: BaseTrigger, after: datetime) -> datetime | None:
    first = next_slot(trigger, after)
    return None if first is None else next_slot(trigger, first)
