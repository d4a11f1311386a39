"""The timeline: runs since a moment, few enough lanes and bars for a page, however many jobs and runs there were.

Three kinds of records reach into the timeline:

- runs that began within it, or as long before it as a run may take. They are read along the index by `started_at`;
- a stretch of lost slots, one record of many slots that may have begun weeks before. It is in its job's strip, or it
  began within the time that is read anyway;
- runs that go on.

If that makes more than 2,000 bars, the database merges them: a bar for each job and ten minutes, or each hour. What is
shown is fewer still: 20 jobs, and 100 bars among them.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row, String, func, or_, select

from janitor.jobs.job import Job
from janitor.state import recent
from janitor.state.tables import runs
from janitor.web.queries import models
from janitor.web.queries.jobs import JobOrder

MOST_BARS = 2_000
"""How many bars are read."""
MOST_LANES, SHOWN_BARS = 20, 100
"""How many jobs are shown, and how many bars in all."""
LONGEST = timedelta(hours=24)
"""How long before the timeline a run may have begun that is still looked for."""
WORST: Sequence[models.Outcome] = (
    "failed",
    "timed_out",
    "interrupted",
    "missed",
    "cancelled",
    "skipped",
    "running",
    "succeeded",
)
"""Outcomes, the worst first: a merged bar has the colour of its worst run."""

_Piece = tuple[int, int, int, datetime]
"""Runs of one outcome in a bar: the outcome's place in `WORST`, the newest run, their number, the last end."""


def timeline(
    connection: Connection,
    lines: Sequence[models.JobLine],
    all_jobs: Mapping[str, Job],
    since: datetime,
    now: datetime,
) -> list[models.TimelineRow]:
    """The runs of the jobs in `lines` since a moment, in the order of `all_jobs`.

    If these are all jobs, runs of jobs that are gone come too.
    """
    of_these: tuple[Any, ...] = ()
    if len(lines) < len(all_jobs):
        shown = {line.id for line in lines}
        all_jobs = {name: job for name, job in all_jobs.items() if name in shown}
        of_these = (runs.c.job.in_(shown),)
    found = _found(connection, lines, all_jobs, of_these, since, now)
    lanes = list(found.items())[:MOST_LANES]
    most = SHOWN_BARS // max(1, len(lanes))
    return [models.TimelineRow(job=name, bars=_few(of_job, most, now)) for name, of_job in lanes]


def _found(
    connection: Connection,
    lines: Sequence[models.JobLine],
    all_jobs: Mapping[str, Job],
    of_these: tuple[Any, ...],
    since: datetime,
    now: datetime,
) -> dict[str, list[models.TimelineBar]]:
    """The bars of each job; `of_these` is the condition for the jobs that are meant."""
    sought = _sought_since(all_jobs, since)
    found: dict[str, list[models.TimelineBar]] = {name: [] for name in all_jobs}
    for line in lines:
        found[line.id] += [_bar(bar, now) for bar in line.strip if bar.started_at < sought and _is_long(bar, since)]
    lost = (runs.c.started_at >= sought, runs.c.slots > 1, runs.c.ended_at >= since, *of_these)
    for row in connection.execute(select(*recent.BAR).where(*lost).limit(MOST_BARS)):
        found.setdefault(row.job, []).append(_bar(row, now))
    meant = (*within(all_jobs, since), *of_these)
    are_many = _are_many(connection, meant)
    bars = _merged(connection, meant, len(all_jobs), now) if are_many else _single(connection, meant, now)
    for name, bar in bars:
        found.setdefault(name, []).append(bar)
    return found


def most_urgent(order: JobOrder) -> Sequence[str]:
    """The jobs that a timeline shows: those in trouble, those at work, then those whose newest run is the newest."""
    urgent = {"overdue": 0, "failing": 1, "running": 2}

    def rank(name: str) -> tuple[int, int]:
        return urgent.get(order.conditions[name], 3), -order.newest.get(name, 0)

    return sorted(order.conditions, key=rank)[:MOST_LANES]


def _few(bars: Sequence[models.TimelineBar], most: int, now: datetime) -> list[models.TimelineBar]:
    """At most so many bars: if there are more, neighbours of the same outcome are one, then neighbours in time."""
    if len(bars) <= most:
        return list(bars)
    in_order = sorted(bars, key=lambda bar: bar.started_at)
    alike = [_joined(list(group)) for _, group in groupby(in_order, key=lambda bar: bar.outcome)]
    if len(alike) <= most:
        return alike
    first = in_order[0].started_at
    part = (now - first) / most
    parts = groupby(alike, key=lambda bar: min(most - 1, int((bar.started_at - first) / part)))
    return [_joined(list(group)) for _, group in parts]


def _joined(bars: Sequence[models.TimelineBar]) -> models.TimelineBar:
    """Several bars as one, with the outcome of the worst."""
    counted = Counter[models.Outcome]()
    for bar in bars:
        counted.update(bar.counted)
    worst = min(bars, key=lambda bar: (WORST.index(bar.outcome), -bar.run))
    return models.TimelineBar(
        outcome=worst.outcome,
        started_at=min(bar.started_at for bar in bars),
        ended_at=max(bar.ended_at for bar in bars),
        runs=sum(bar.runs for bar in bars),
        run=worst.run,
        counted=dict(counted),
    )


def is_busy(connection: Connection, all_jobs: Mapping[str, Job], since: datetime) -> bool:
    """Whether there are more runs since a moment than a page has bars."""
    return _are_many(connection, within(all_jobs, since))


def _are_many(connection: Connection, meant: tuple[Any, ...]) -> bool:
    some = select(runs.c.id).where(*meant).limit(MOST_BARS + 1).subquery("some")
    return connection.execute(select(func.count()).select_from(some)).scalar_one() > MOST_BARS


def within(all_jobs: Mapping[str, Job], since: datetime) -> tuple[Any, ...]:
    """The condition for runs that ended since a moment, or that go on.

    Runs are looked for as far back as a run of these jobs may take, at most a day.
    """
    ended_within = or_(runs.c.ended_at >= since, runs.c.outcome.is_(None))
    return runs.c.started_at >= _sought_since(all_jobs, since), runs.c.slots <= 1, ended_within


def _sought_since(all_jobs: Mapping[str, Job], since: datetime) -> datetime:
    longest = max((min(timedelta(seconds=job.timeout), LONGEST) for job in all_jobs.values()), default=LONGEST)
    return since - longest


def _is_long(bar: models.Bar, since: datetime) -> bool:
    """Whether it is a stretch of lost slots that ended after a moment."""
    return bar.slots > 1 and bar.ended_at is not None and bar.ended_at >= since


def _bar(row: Row[Any] | models.Bar, now: datetime) -> models.TimelineBar:
    outcome: models.Outcome = row.outcome or "running"
    return models.TimelineBar(
        outcome=outcome,
        started_at=row.started_at,
        ended_at=row.ended_at or now,
        runs=1,
        run=row.id,
        counted={outcome: 1},
    )


def _single(connection: Connection, meant: tuple[Any, ...], now: datetime) -> list[tuple[str, models.TimelineBar]]:
    """A bar for each run, by id."""
    rows = connection.execute(select(*recent.BAR).where(*meant)).all()
    # Sorted here: asked for the order of ids, SQLite would walk the whole table.
    return [(row.job, _bar(row, now)) for row in sorted(rows, key=lambda row: row.id)]


def _merged(
    connection: Connection, meant: tuple[Any, ...], jobs: int, now: datetime
) -> list[tuple[str, models.TimelineBar]]:
    """A bar for each job and ten minutes by when runs began; for each hour, if that makes too many."""
    # Instants are kept as `2026-01-31 12:34:56.789`: the first 15 characters are ten minutes, the first 13 an hour.
    length, rest = (15, "0:00+00:00") if jobs * 144 <= 2 * MOST_BARS else (13, ":00:00+00:00")
    piece = func.substr(runs.c.started_at, 1, length, type_=String).label("piece")
    last = func.max(runs.c.ended_at, type_=runs.c.ended_at.type)
    query = select(runs.c.job, piece, runs.c.outcome, func.count(), func.max(runs.c.id), last)
    query = query.where(*meant).group_by(runs.c.job, piece, runs.c.outcome)
    found: dict[tuple[str, str], list[_Piece]] = {}
    for job, begun, outcome, count, run, last_at in connection.execute(query):
        part = (WORST.index(outcome or "running"), run, count, last_at if outcome else now)
        found.setdefault((job, begun), []).append(part)
    return [(job, _one(found[job, begun], datetime.fromisoformat(begun + rest))) for job, begun in sorted(found)]


def _one(parts: Sequence[_Piece], begun: datetime) -> models.TimelineBar:
    worst, run, _, _ = min(parts)
    return models.TimelineBar(
        outcome=WORST[worst],
        started_at=begun,
        ended_at=max(last_at for _, _, _, last_at in parts),
        runs=sum(count for _, _, count, _ in parts),
        run=run,
        counted={WORST[outcome]: count for outcome, _, count, _ in parts},
    )
