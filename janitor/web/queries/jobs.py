"""The list of jobs, and all that is known of one job.

Like every query of the dashboard, these take a connection that reads, and give a model. A query costs what it shows,
and not what the history holds: each statement follows an index to the few rows that it needs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from janitor.jobs import json_texts
from janitor.jobs.descriptions import described
from janitor.jobs.job import Job
from janitor.jobs.slots import next_slot_if_told
from janitor.logs.mask import mask_for
from janitor.settings.settings import Settings
from janitor.state import quarantine, recent
from janitor.state.memories import names_of
from janitor.state.tables import runs
from janitor.web.queries import job_settings, models, records
from janitor.web.queries.job_line import condition_of, docstring, job_line, latest_of
from janitor.web.queries.known import Latest, Overall, known_of, overall_of, strip_length

POINTS = 100
NEXT_RUNS = 5


@dataclass(frozen=True)
class JobOrder:
    """All jobs: overdue jobs first, then failing jobs, then the others; with the condition and newest run of each.

    `ids` are the newest runs of the jobs on record, as `recent.latest` tells them.
    """

    now: datetime
    overall: Overall
    conditions: Mapping[str, models.Condition]
    newest: Mapping[str, int]
    ids: Mapping[str, Row[Any]]

    def with_newest(self, outcome: str, limit: int) -> list[str]:
        """The jobs with the newest runs of an outcome, failed or timed_out: so many, and those not on record yet."""
        found = {name: getattr(self.ids[name], outcome) for name in self.conditions if name in self.ids}
        ended = sorted((name for name in found if found[name]), key=lambda name: -found[name])
        return [*ended[:limit], *(name for name in self.conditions if name not in self.ids)]


def job_order(connection: Connection, all_jobs: Mapping[str, Job], now: datetime) -> JobOrder:
    """Read what tells in which order a list has the jobs; those in one condition are in `all_jobs`'s order."""
    overall = overall_of(connection, all_jobs.values(), now)
    ids = recent.latest(connection)
    latest = _latest(connection, list(all_jobs), overall, ids)
    found = {name: condition_of(job, overall, latest[name]) for name, job in all_jobs.items()}
    order = {"overdue": 0, "failing": 1}
    conditions = dict(sorted(found.items(), key=lambda one: order.get(one[1], 2)))
    return JobOrder(now, overall, conditions, {name: latest[name].newest for name in all_jobs}, ids)


def _latest(
    connection: Connection, names: Sequence[str], overall: Overall, ids: Mapping[str, Row[Any]]
) -> dict[str, Latest]:
    """What the last runs of each job tell. Runs are read only of jobs that may fail, or that are not on record yet."""
    going = {row.job for row in recent.live(connection)}

    def is_plain(name: str) -> bool:
        if name not in ids:
            return False
        success = overall.successes.get(name)
        return max(ids[name].failed or 0, ids[name].timed_out or 0) <= (success.id if success else 0)

    doubtful = [name for name in names if not is_plain(name)]
    rows = recent.ends(connection, doubtful, strip_length(len(names)))
    found = {name: latest_of(rows.get(name, ())) for name in doubtful}
    plain = [name for name in names if name not in found]
    return found | {name: Latest(ids[name].newest or 0, name in going, fails=False) for name in plain}


def job_lines(
    connection: Connection, all_jobs: Mapping[str, Job], order: JobOrder, names: Sequence[str]
) -> list[models.JobLine]:
    """Some jobs, each in one line."""
    known = known_of(connection, [all_jobs[name] for name in names], all_jobs, order.now, order.overall)
    return [job_line(all_jobs[name], known) for name in names]


def job_page(
    connection: Connection, all_jobs: Mapping[str, Job], wanted: Job, settings: Settings, now: datetime
) -> models.JobPage:
    """All that is known of a job, but its history."""
    return models.JobPage(
        job=job_line(wanted, known_of(connection, [wanted], all_jobs, now)),
        docstring=docstring(wanted),
        next_runs=_next_slots(wanted, now),
        points=_points(connection, wanted.id),
        timeout_seconds=wanted.timeout,
        retries=wanted.retries,
        catch_up=wanted.catch_up,
        isolation=wanted.isolation,
        settings=job_settings.in_force(wanted, all_jobs, settings),
        dropped=sum(
            quarantine.dropped_size(connection, name) for name in names_of(connection, wanted.id, wanted.memories)
        ),
        notes=wanted.notes,
        file=wanted.file,
        config=mask_for(settings).value(json_texts.read(described(wanted))) or {},
    )


def _next_slots(job: Job, now: datetime) -> list[datetime]:
    slots, after = list[datetime](), now
    while len(slots) < NEXT_RUNS and (slot := next_slot_if_told(job.trigger, after)) is not None:
        slots.append(slot)
        after = slot
    return slots


def _points(connection: Connection, job_id: str) -> list[models.Point]:
    """The last runs of a job that have ended, the oldest first."""
    query = select(runs.c.id, runs.c.outcome, runs.c.started_at, runs.c.seconds, runs.c.counts)
    query = query.where(runs.c.job == job_id, runs.c.outcome.is_not(None), runs.c.attempts > 0)
    rows = connection.execute(query.order_by(runs.c.id.desc()).limit(POINTS)).all()
    return [records.point(row) for row in reversed(rows)]
