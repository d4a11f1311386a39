"""How the last 24 hours went, over all jobs."""

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, Row

from janitor.jobs.job import Job
from janitor.loops import Trouble
from janitor.state import recent
from janitor.web.queries import models, records
from janitor.web.queries.hours import hours
from janitor.web.queries.job_line import FAILURES
from janitor.web.queries.jobs import JobOrder, job_lines, job_order
from janitor.web.queries.notices import notice_list
from janitor.web.queries.pipelines import pipeline_lines
from janitor.web.queries.runs import going
from janitor.web.queries.timeline import is_busy, most_urgent, timeline

SPAN = timedelta(hours=24)
FAILED, GOING, TOLD = 20, 10, 10
"""How many failed runs are listed, how many that go on, and how many notices and deliveries."""
FRESH = timedelta(seconds=15)
"""How old the timeline and the hours of a busy day may be."""


def overview_of(
    connection: Connection, all_jobs: Mapping[str, Job], now: datetime, troubles: Sequence[Trouble] = ()
) -> models.Overview:
    """The last 24 hours: a timeline, what runs, what failed, what was done each hour, what people were told.

    Of a busy day the timeline and the hours may be 15 seconds old: all who ask meanwhile share one look.
    """
    since = now - SPAN
    order, told = job_order(connection, all_jobs, now), notice_list(connection)
    past = _past(connection, order, all_jobs, since)
    return models.Overview(
        now=now,
        since=since,
        conditions=dict(Counter(order.conditions.values())),
        timeline=past.timeline,
        running=going(connection, now, GOING),
        failed=_failed(connection, order, since),
        hours=past.hours,
        notices=told.open[:TOLD],
        open_notices=len(told.open),
        undelivered=told.undelivered[:TOLD],
        pipelines=pipeline_lines(connection, all_jobs, now),
        troubles=[
            models.TroubleLine(part=one.duty, since=one.since, failures=one.failures, why=one.why) for one in troubles
        ],
    )


@dataclass(frozen=True)
class _Past:
    """What happened in the 24 hours before `until`."""

    until: datetime
    timeline: list[models.TimelineRow]
    hours: list[models.Hour]


_busy_days: WeakKeyDictionary[Engine, _Past] = WeakKeyDictionary()
_looking = threading.Lock()


def _past(connection: Connection, order: JobOrder, all_jobs: Mapping[str, Job], since: datetime) -> _Past:
    now = order.now

    def look() -> _Past:
        lines = job_lines(connection, all_jobs, order, most_urgent(order))
        return _Past(now, timeline(connection, lines, all_jobs, since, now), hours(connection, all_jobs, since, now))

    if not is_busy(connection, all_jobs, since):
        return look()
    with _looking:
        kept = _busy_days.get(connection.engine)
        if kept is None or not now - FRESH <= kept.until <= now:
            kept = _busy_days[connection.engine] = look()
    return kept


def _failed(connection: Connection, order: JobOrder, since: datetime) -> list[models.RunLine]:
    """The newest runs that failed or timed out and began at `since` or later."""
    rows: list[Row[Any]] = []
    for outcome in FAILURES:
        # The 20 newest are runs of those 20 jobs that have the newest run of each job.
        names = order.with_newest(outcome, FAILED)
        rows += recent.with_outcome(connection, names, outcome, FAILED)
    rows = sorted((row for row in rows if row.started_at >= since), key=lambda row: row.id, reverse=True)
    return [records.run_line(row) for row in rows[:FAILED]]
