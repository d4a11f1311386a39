"""How the last 24 hours went, over all jobs."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, Row, String, case, func, literal, or_, select

from janitor.jobs.job import Job
from janitor.state import recent
from janitor.state.deliveries import GIVEN_UP
from janitor.state.tables import deliveries, notices, runs
from janitor.web.queries import jobs as queries
from janitor.web.queries import models, records

SPAN = timedelta(hours=24)
MOST_BARS = 2_000
"""More bars than this in the timeline become one for each job and ten minutes, or each hour."""
FAILED = 20
MOST_NOTICES = 100
LONGEST = timedelta(hours=24)
"""How long before the span a run may have begun that is sought in it."""
FRESH = timedelta(seconds=15)
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


def overview(connection: Connection, all_jobs: Mapping[str, Job], now: datetime) -> models.Overview:
    """The last 24 hours: a timeline, what runs, what failed, what was done each hour, what people were told.

    Of a busy day the timeline and the hours may be 15 seconds old: one look through it serves all who ask meanwhile.
    """
    since = now - SPAN
    lines = queries.jobs(connection, all_jobs, now)
    conditions: dict[models.Condition, int] = {}
    for line in lines:
        conditions[line.condition] = conditions.get(line.condition, 0) + 1
    told, past = notices_of(connection), _past(connection, lines, all_jobs, since, now)
    return models.Overview(
        now=now,
        since=since,
        conditions=conditions,
        timeline=past.timeline,
        running=queries.going(connection, now),
        failed=failed(connection, list(all_jobs), since),
        hours=past.hours,
        notices=told.open,
        undelivered=told.undelivered,
    )


@dataclass(frozen=True)
class _Past:
    """What happened in the span that ended at `until`."""

    until: datetime
    timeline: list[models.TimelineRow]
    hours: list[models.Hour]


_busy_days: WeakKeyDictionary[Engine, _Past] = WeakKeyDictionary()
_looking = threading.Lock()


def _past(
    connection: Connection,
    lines: Sequence[models.JobLine],
    all_jobs: Mapping[str, Job],
    since: datetime,
    now: datetime,
) -> _Past:
    def look() -> _Past:
        return _Past(now, timeline(connection, lines, all_jobs, since, now), hours(connection, all_jobs, since, now))

    if not _is_busy(connection, _within(all_jobs, since)):
        return look()
    with _looking:
        kept = _busy_days.get(connection.engine)
        if kept is None or not now - FRESH <= kept.until <= now:
            kept = _busy_days[connection.engine] = look()
    return kept


def failed(connection: Connection, names: Sequence[str], since: datetime) -> list[models.RunLine]:
    """The newest runs that failed or timed out and began after a moment."""
    rows = [row for outcome in queries.FAILURES for row in recent.with_outcome(connection, names, outcome, FAILED)]
    rows = sorted((row for row in rows if row.started_at >= since), key=lambda row: row.id, reverse=True)
    return [records.run_line(row) for row in rows[:FAILED]]


def notices_of(connection: Connection, job: str | None = None, limit: int = MOST_NOTICES) -> models.NoticeList:
    """What people were told, of one job or of all: what goes on, what is over, and what could not be delivered."""
    query = select(notices) if job is None else select(notices).where(notices.c.job == job)
    going_on = query.where(notices.c.ended_at.is_(None)).order_by(notices.c.id).limit(limit)
    over = query.where(notices.c.ended_at.is_not(None)).order_by(notices.c.id.desc()).limit(limit)
    failing = deliveries.c.outcome.is_(None) & (deliveries.c.tries > 0)
    late = [
        select(deliveries).where(condition).order_by(deliveries.c.due_at.desc()).limit(limit)
        for condition in (failing, deliveries.c.outcome == GIVEN_UP)
    ]
    undelivered = [row for statement in late for row in connection.execute(statement)]
    return models.NoticeList(
        open=[_notice(row) for row in connection.execute(going_on)],
        ended=[_notice(row) for row in connection.execute(over)],
        undelivered=[_delivery(row) for row in undelivered[:limit]],
    )


def timeline(
    connection: Connection,
    lines: Sequence[models.JobLine],
    all_jobs: Mapping[str, Job],
    since: datetime,
    now: datetime,
) -> list[models.TimelineRow]:
    """Each job's runs since a moment, in the order of `all_jobs`; few enough for a page, however many there were."""
    within, sought = _within(all_jobs, since), _sought_since(all_jobs, since)
    found: dict[str, list[models.TimelineBar]] = {name: [] for name in all_jobs}
    for line in lines:
        found[line.id] += [_bar(bar, now) for bar in line.strip if bar.started_at < sought and _is_long(bar, since)]
    lost = (runs.c.started_at >= sought, runs.c.slots > 1, runs.c.ended_at >= since)
    for row in connection.execute(select(*recent.BAR).where(*lost).limit(MOST_BARS)):
        found.setdefault(row.job, []).append(_bar(row, now))
    if _is_busy(connection, within):
        bars = _merged(connection, within, len(all_jobs), now)
    else:
        rows = connection.execute(select(*recent.BAR).where(*within)).all()
        # Sorted here: SQLite would walk the whole table in the order of ids, and not look these few up.
        bars = [(row.job, _bar(row, now)) for row in sorted(rows, key=lambda row: row.id)]
    for name, bar in bars:
        found.setdefault(name, []).append(bar)
    return [models.TimelineRow(job=name, bars=of_job) for name, of_job in found.items()]


def _is_busy(connection: Connection, within: Sequence[Any]) -> bool:
    some = select(runs.c.id).where(*within).limit(MOST_BARS + 1).subquery("some")
    return connection.execute(select(func.count()).select_from(some)).scalar_one() > MOST_BARS


def _within(all_jobs: Mapping[str, Job], since: datetime) -> tuple[Any, ...]:
    """What ended since a moment, or goes on; sought as far back as a run of these jobs may take, a day at most."""
    ended_within = or_(runs.c.ended_at >= since, runs.c.outcome.is_(None))
    return runs.c.started_at >= _sought_since(all_jobs, since), runs.c.slots <= 1, ended_within


def _sought_since(all_jobs: Mapping[str, Job], since: datetime) -> datetime:
    longest = max((min(timedelta(seconds=job.timeout), LONGEST) for job in all_jobs.values()), default=LONGEST)
    return since - longest


def _is_long(bar: models.Bar, since: datetime) -> bool:
    """Whether it is a stretch of lost slots that reaches into the time since a moment, since whenever."""
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


def _merged(
    connection: Connection, within: Sequence[Any], jobs: int, now: datetime
) -> list[tuple[str, models.TimelineBar]]:
    """A bar for each job and ten minutes, or where that would be too many each hour, by when the runs began."""
    # Instants are kept as `2026-01-31 12:34:56.789`: the first 15 characters are ten minutes, the first 13 an hour.
    length, rest = (15, "0:00+00:00") if jobs * 144 <= 2 * MOST_BARS else (13, ":00:00+00:00")
    piece = func.substr(runs.c.started_at, 1, length, type_=String).label("piece")
    last = func.max(runs.c.ended_at, type_=runs.c.ended_at.type)
    query = select(runs.c.job, piece, runs.c.outcome, func.count(), func.max(runs.c.id), last)
    found: dict[tuple[str, str], list[_Piece]] = {}
    for job, begun, outcome, count, run, last_at in connection.execute(
        query.where(*within).group_by(runs.c.job, piece, runs.c.outcome)
    ):
        part = (WORST.index(outcome or "running"), run, count, last_at if outcome else now)
        found.setdefault((job, begun), []).append(part)
    moments = {begun: datetime.fromisoformat(begun + rest) for _, begun in found}
    return [(job, _one(found[job, begun], moments[begun])) for job, begun in sorted(found)]


_Piece = tuple[int, int, int, datetime]
"""Runs of one outcome: how bad it is, the newest of them, how many there are, when the last ended."""


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


def hours(connection: Connection, all_jobs: Mapping[str, Job], since: datetime, now: datetime) -> list[models.Hour]:
    """What runs did in each hour since a moment, the hour of it included; dry runs do not count."""
    first = since.replace(minute=0, second=0, microsecond=0)
    hour = func.substr(runs.c.ended_at, 1, 13, type_=String).label("hour")
    published, changed = _sum(records.PUBLISHED).label("published"), _sum(records.ROWS).label("rows")
    something = or_(*(_tells(name) for name in (*records.PUBLISHED, *records.ROWS)))
    query = select(hour, published, changed).where(*_within(all_jobs, first))
    query = query.where(runs.c.dry_run.is_(False), something).group_by(hour)
    told = {row.hour: row for row in connection.execute(query)}
    lines = []
    while first <= now:
        row = told.get(f"{first:%Y-%m-%d %H}")
        lines.append(
            models.Hour(at=first, published=int(row.published) if row else 0, rows=int(row.rows) if row else 0)
        )
        first += timedelta(hours=1)
    return lines


def _tells(name: str) -> Any:
    """Whether a run counted some of what has that name: most runs of a job that follows find nothing to do."""
    return runs.c.counts.like(f'%"{name}": %') & runs.c.counts.not_like(f'%"{name}": 0%')


def _sum(names: Sequence[str]) -> Any:
    valid = func.json_valid(runs.c.counts) == 1
    each = (func.coalesce(func.json_extract(runs.c.counts, literal(f"$.{name}")), 0) for name in names)
    total: Any = literal(0)
    for one in each:
        total = total + one
    return func.sum(case((valid, total), else_=0))


def _notice(row: Row[Any]) -> models.NoticeLine:
    fields = ("id", "rule", "job", "text", "began_at", "told_at", "ended_at")
    return models.NoticeLine(**{name: getattr(row, name) for name in fields}, run=row.run_id)


def _delivery(row: Row[Any]) -> models.DeliveryLine:
    fields = ("id", "channel", "kind", "added_at", "tries", "outcome", "ended_at", "reason")
    return models.DeliveryLine(**{name: getattr(row, name) for name in fields}, notice=row.notice_id)
