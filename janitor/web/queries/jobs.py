"""What the dashboard asks the state database: each function takes a connection that reads, and gives one model.

They cost what they show, and not what the history holds: each statement follows an index to the few rows it needs.
"""

import inspect
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from janitor.engine import overdue
from janitor.errors import BadSetting
from janitor.feeds.position import describe
from janitor.jobs import dependencies
from janitor.jobs.descriptions import described
from janitor.jobs.job import Job
from janitor.jobs.schedule_words import in_english
from janitor.jobs.slots import next_slot
from janitor.jobs.standings import Standing
from janitor.logs.mask import mask_for
from janitor.operations import cursor
from janitor.runs import Outcome
from janitor.settings.settings import Settings
from janitor.state import builds, job_records, log_lines
from janitor.state import quarantine as quarantined
from janitor.state import recent, run_records
from janitor.state.job_records import JobRecord
from janitor.state.leases import process
from janitor.state.tables import actions, cursors, runs
from janitor.web.queries import job_settings, models, records

STRIP, SHORT_STRIP = 30, 10
MANY = 100
"""Of more jobs than that at once, fewer runs of each are looked at."""
POINTS = 100
NEXT_RUNS = 5
FAILURES = ("failed", "timed_out")
NEUTRAL = ("skipped", "missed", "cancelled", "interrupted", "running")
"""Outcomes that say nothing of whether a job works."""


@dataclass(frozen=True)
class Filter:
    """Which runs a history shows: those that meet all that is given; `since` and `until` bound when they began."""

    job: str | None = None
    outcome: str | None = None
    origin: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def narrows(self) -> bool:
        """Whether anything but the job is asked for that actions do not have."""
        return self.outcome is not None or self.origin is not None


@dataclass(frozen=True)
class _Known:
    """What was read of all jobs at once."""

    now: datetime
    records: Mapping[str, JobRecord]
    newest: Mapping[str, Sequence[Row[Any]]]
    whole: Mapping[int, Row[Any]]
    successes: Mapping[str, Row[Any]]
    overdue: Mapping[str, datetime]
    cursors: Mapping[str, Row[Any]]
    quarantined: Mapping[str, int]
    standings: Mapping[str, Standing]
    dependents: Mapping[str, Sequence[str]]


def _nothing(result: str) -> None:
    """What is told of a result where nobody asks for it."""


def jobs(connection: Connection, all_jobs: Mapping[str, Job], now: datetime) -> list[models.JobLine]:
    """Every job in one line: overdue ones first, then failing ones, then the others, each in `all_jobs`'s order."""
    known = _known(connection, list(all_jobs.values()), all_jobs, now)
    lines = [_job_line(job, known) for job in all_jobs.values()]
    order = {"overdue": 0, "failing": 1}
    return sorted(lines, key=lambda line: order.get(line.condition, 2))


def job(
    connection: Connection,
    all_jobs: Mapping[str, Job],
    wanted: Job,
    settings: Settings,
    now: datetime,
) -> models.JobPage:
    """All that is known of a job, but its history."""
    line = _job_line(wanted, _known(connection, [wanted], all_jobs, now))
    return models.JobPage(
        job=line,
        docstring=docstring(wanted),
        next_runs=_next_slots(wanted, now),
        points=_points(connection, wanted.id),
        timeout_seconds=wanted.timeout,
        retries=wanted.retries,
        catch_up=wanted.catch_up,
        isolation=wanted.isolation,
        settings=job_settings.in_force(wanted, all_jobs, settings),
        dropped=quarantined.dropped_size(connection, wanted.id),
        notes=wanted.notes,
        file=wanted.file,
        config=json.loads(mask_for(settings)(described(wanted))),
    )


def graph(connection: Connection, all_jobs: Mapping[str, Job]) -> models.Graph:
    """How these jobs depend on one another, and how each stands."""
    standings = builds.standings(connection, dependencies.with_dependencies(all_jobs.values()))
    nodes = [
        models.GraphNode(
            id=job.id,
            title=job.title,
            status=dependencies.status(job, standings).value,
            running=standings[job.id].running is not None,
            dependencies=list(job.dependencies),
        )
        for job in (all_jobs[name] for name in dependencies.order(all_jobs) if name in all_jobs)
    ]
    return models.Graph(jobs=nodes)


def docstring(job: Job) -> str:
    """What the task says of itself, without its indentation; empty where it says nothing."""
    func = job.func
    while isinstance(func, partial):
        func = func.func
    return inspect.getdoc(func) or ""


def going(connection: Connection, now: datetime) -> list[models.Going]:
    """The runs that go on, in whatever process, the oldest first."""
    rows = connection.execute(select(runs).where(runs.c.outcome.is_(None)).order_by(runs.c.id))
    return [records.going(row, now) for row in rows]


def listed(
    connection: Connection, all_jobs: Iterable[str], wanted: Filter, limit: int, before: int | None = None
) -> models.RunList:
    """A page of runs, the newest first: those with an id below `before`, where it is given."""
    rows = _lines(connection, all_jobs, wanted, limit + 1, before)
    lines = [records.run_line(row) for row in rows[:limit]]
    return models.RunList(runs=lines, next_before=lines[-1].id if len(rows) > limit else None)


def history(
    connection: Connection, all_jobs: Iterable[str], wanted: Filter, limit: int, before: str | None = None
) -> models.History:
    """A page of runs, and of what people did between them, the newest first.

    `before` is the `next` of the page before. Where an outcome or an origin is asked for there are no actions.

    Raises:
        BadSetting: `before` is no page's `next`.
    """
    run_before, action_before = _place(before)
    lines = [records.run_line(row) for row in _lines(connection, all_jobs, wanted, limit + 1, run_before)]
    done = [] if wanted.narrows else _actions(connection, wanted, limit + 1, action_before)
    events = list[models.Event]()
    while (lines or done) and len(events) < limit:
        if not done or (lines and lines[0].started_at >= done[0].at):
            events.append(models.Event(at=lines[0].started_at, run=lines[0], action=None))
            run_before = lines.pop(0).id
        else:
            events.append(models.Event(at=done[0].at, run=None, action=done[0]))
            action_before = done.pop(0).id
    rest = f"{_TOP if run_before is None else run_before}.{_TOP if action_before is None else action_before}"
    return models.History(events=events, next=rest if lines or done else None)


def run(
    connection: Connection, run_id: int, now: datetime, told: Callable[[str], Any] = _nothing
) -> models.RunPage | None:
    """All that is known of one run, but its log; None where there is none of that id.

    `told` makes of its result, a JSON text, what is told of it.
    """
    row = run_records.get(connection, run_id)
    if row is None:
        return None
    of_job = select(runs.c.id).where(runs.c.job == row.job)
    older, newer = of_job.where(runs.c.id < run_id), of_job.where(runs.c.id > run_id)
    used, used_by = builds.uses(connection, [run_id]).get(run_id, {}), builds.used_by(connection, run_id)
    kept = set(connection.execute(select(runs.c.id).where(runs.c.id.in_(used.values()))).scalars()) if used else set()
    result = builds.result(connection, run_id)
    config = builds.config(connection, row.config)
    late = (row.started_at - row.slot_at).total_seconds() if row.slot_at is not None and row.attempts else None
    return models.RunPage(
        run=records.run_line(row),
        going=None if row.outcome else records.going(row, now),
        progress=records.progress(row.progress),
        traceback=row.traceback,
        attempts=[records.attempt(one) for one in run_records.attempts_of(connection, run_id)],
        process=process(row.holder),
        late_seconds=late,
        before=connection.execute(older.order_by(runs.c.id.desc()).limit(1)).scalar(),
        after=connection.execute(newer.order_by(runs.c.id).limit(1)).scalar(),
        used=[models.OtherRun(run=one, job=job, kept=one in kept) for job, one in sorted(used.items())],
        used_by=[models.OtherRun(run=one, job=job, kept=True) for one, job in used_by],
        result=None if result is None else told(result),
        has_result=result is not None,
        config=None if config is None else json.loads(config),
        kept_because=row.kept_because,
    )


def log(
    connection: Connection, run_id: int, after: int = 0, limit: int = 1_000, *, tail: bool = False, least: str = ""
) -> models.LogLines | None:
    """A stretch of a run's log: the first lines with an id above `after`, or with `tail` the last of these.

    `least` leaves out lines of lesser levels.

    None where there is no such run.
    """
    outcome = connection.execute(select(runs.c.outcome).where(runs.c.id == run_id)).one_or_none()
    if outcome is None:
        return None
    rows = log_lines.of_run(connection, run_id, after, limit + 1, tail=tail, least=least)
    more = len(rows) > limit
    kept = rows[-limit:] if tail else rows[:limit]
    lines = [models.LogLine(**records.fields_of(row, models.LogLine)) for row in kept]
    last = lines[-1].id if lines else after
    ended = outcome[0] is not None and (tail or not more)
    return models.LogLines(lines=lines, next_after=last, more=more and not tail, ended=ended)


def quarantine(
    connection: Connection, job_id: str, limit: int, offset: int = 0, *, dropped: bool = False
) -> models.QuarantineList:
    """A page of what cannot be delivered, or with `dropped` of what was given up; the oldest first."""
    rows = quarantined.listing(connection, job_id, dropped=dropped, limit=limit + 1, offset=offset)
    size = quarantined.dropped_size if dropped else quarantined.size
    lines = [records.quarantine_line(row) for row in rows[:limit]]
    following = offset + limit if len(rows) > limit else None
    return models.QuarantineList(keys=size(connection, job_id), rows=lines, next_offset=following)


def audit(
    connection: Connection, job_id: str | None, limit: int, before: int | None = None, until: datetime | None = None
) -> models.ActionList:
    """A page of what people did before `until`, to one job or to all, the newest first."""
    lines = _actions(connection, Filter(job_id, until=until), limit + 1, before)
    following = lines[limit - 1].id if len(lines) > limit else None
    return models.ActionList(actions=lines[:limit], next_before=following)


def _known(connection: Connection, wanted: Sequence[Job], all_jobs: Mapping[str, Job], now: datetime) -> _Known:
    dependents = dependencies.dependents(all_jobs)
    built = [job for job in wanted if job.dependencies or job.id in dependents]
    names = [job.id for job in wanted]
    newest = recent.newest(connection, names, STRIP if len(names) <= MANY else SHORT_STRIP)
    shown = [row for rows in newest.values() for row in rows if row.outcome is None or row is _last(rows)]
    texts: Select[Any] = select(*recent.LINE, runs.c.progress).where(runs.c.id.in_([row.id for row in shown]))
    read: Select[Any] = select(cursors).where(cursors.c.name.in_(names))
    states, successes = job_records.all_jobs(connection), recent.last_ended(connection, (Outcome.SUCCEEDED,))
    return _Known(
        now=now,
        records=states,
        newest=newest,
        whole={row.id: row for row in connection.execute(texts)},
        successes=successes,
        overdue=overdue.among(wanted, states, successes, recent.signs_of_life(connection), now),
        cursors={row.name: row for row in connection.execute(read)},
        quarantined=quarantined.sizes(connection, names),
        standings=builds.standings(connection, dependencies.with_dependencies(built)),
        dependents=dependents,
    )


def _last(rows: Sequence[Row[Any]]) -> Row[Any] | None:
    return next((row for row in rows if row.outcome is not None), None)


def _job_line(job: Job, known: _Known) -> models.JobLine:
    record, rows = known.records.get(job.id), known.newest.get(job.id, ())
    paused_at = record.paused_at if record else None
    last, live = _last(rows), next((row for row in rows if row.outcome is None), None)
    late, success = known.overdue.get(job.id), known.successes.get(job.id)
    failures = _failures(rows)
    stands = job.dependencies or job.id in known.dependents
    status = dependencies.status(job, known.standings) if stands else None
    return models.JobLine(
        id=job.id,
        title=job.title or _title(docstring(job)),
        condition=_condition(job, paused_at is not None, late is not None, failures, live is not None, bool(rows)),
        schedule=job.schedule,
        schedule_text=_when(job),
        enabled=job.enabled,
        disabled_because=job.disabled_because or None,
        paused_at=paused_at,
        paused_by=record.paused_by if record else None,
        overdue_since=late,
        running=records.going(known.whole.get(live.id, live), known.now) if live else None,
        last=records.run_line(known.whole[last.id]) if last and last.id in known.whole else None,
        last_success_at=success.ended_at if success else None,
        failures=failures,
        strip=[records.bar(row) for row in reversed(rows)],
        next_run_at=next_slot(job.trigger, known.now) if job.enabled and paused_at is None else None,
        cursor=_cursor(job.id, known),
        quarantined=known.quarantined.get(job.id, 0),
        tags=list(job.tags),
        protect=job.protect,
        dependencies=list(job.dependencies),
        dependents=list(known.dependents.get(job.id, ())),
        status=status.value if status else None,
        outdated_by=dependencies.outdated(job, known.standings) if status is dependencies.Status.OUTDATED else [],
    )


def _when(job: Job) -> str:
    if not job.after:
        return in_english(job.trigger)
    return f"after {job.dependencies[0] if len(job.dependencies) == 1 else f'its {len(job.dependencies)} dependencies'}"


def _condition(job: Job, paused: bool, late: bool, failures: int, live: bool, ran: bool) -> models.Condition:
    if not job.enabled:
        return "disabled"
    if paused:
        return "paused"
    if late:
        return "overdue"
    if failures:
        return "failing"
    return "running" if live else "fine" if ran else "new"


def _failures(rows: Sequence[Row[Any]]) -> int:
    count = 0
    for row in rows:
        if row.dry_run or (row.outcome or "running") in NEUTRAL:
            continue
        if row.outcome not in FAILURES:
            break
        count += 1
    return count


def _title(text: str) -> str:
    paragraph = " ".join(text.split("\n\n")[0].split())
    return re.split(r"(?<=[.!?]) ", paragraph)[0]


def _cursor(job_id: str, known: _Known) -> models.Cursor | None:
    row = known.cursors.get(job_id)
    if row is None:
        return None
    try:
        facts = describe(row.position)
        text = cursor.in_words(job_id, {"job": job_id, **facts})
    except (ValueError, LookupError, TypeError):
        facts, text = {}, f"{job_id} has a cursor of its own kind"
    success = known.successes.get(job_id)
    read_at = success.started_at if success else None
    names = ("top", "settled", "taken_above", "gaps", "snapshot_after")
    return models.Cursor(
        **{name: facts.get(name) for name in names},
        text=text,
        moved_at=row.updated_at,
        read_at=read_at,
        lag_seconds=max(0.0, (known.now - read_at).total_seconds()) if read_at else None,
    )


def _next_slots(job: Job, now: datetime) -> list[datetime]:
    slots = list[datetime]()
    while len(slots) < NEXT_RUNS and (slot := next_slot(job.trigger, slots[-1] if slots else now)) is not None:
        slots.append(slot)
    return slots


def _points(connection: Connection, job_id: str) -> list[models.Point]:
    query = select(runs.c.id, runs.c.outcome, runs.c.started_at, runs.c.seconds, runs.c.counts)
    query = query.where(runs.c.job == job_id, runs.c.outcome.is_not(None), runs.c.attempts > 0)
    rows = connection.execute(query.order_by(runs.c.id.desc()).limit(POINTS)).all()
    return [records.point(row) for row in reversed(rows)]


def _lines(
    connection: Connection, all_jobs: Iterable[str], wanted: Filter, limit: int, before: int | None
) -> Sequence[Row[Any]]:
    names = [wanted.job] if wanted.job else sorted({*all_jobs, *job_records.all_jobs(connection)})
    bounds = {"before": before, "since": wanted.since, "until": wanted.until}
    if wanted.outcome not in (None, "running"):
        return recent.with_outcome(connection, names, str(wanted.outcome), limit, **bounds, origin=wanted.origin)
    if wanted.outcome is None and wanted.origin == run_records.BY_HAND:
        return recent.by_hand(connection, names, limit, **bounds)
    # Those that go on by themselves, as MariaDB would look for the newest ones through all that have ended.
    live = select(runs.c.id).where(runs.c.outcome.is_(None))
    ids = None if wanted.outcome is None else connection.execute(live).scalars().all()
    return recent.of_any(connection, wanted.job, limit, ids, **bounds, origin=wanted.origin)


def _actions(connection: Connection, wanted: Filter, limit: int, before: int | None) -> list[models.Action]:
    query = select(*(column for column in actions.c if column.name != "detail"))
    query = query.add_columns(func.substr(actions.c.detail, 1, recent.CUT).label("detail"))
    if wanted.job is not None:
        query = query.where(actions.c.job == wanted.job)
    if wanted.since is not None:
        query = query.where(actions.c.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(actions.c.at < wanted.until)
    query = query if before is None else query.where(actions.c.id < before)
    rows = connection.execute(query.order_by(actions.c.id.desc()).limit(limit))
    return [models.Action(**records.fields_of(row, models.Action) | {"detail": row.detail or ""}) for row in rows]


_TOP = 2**53


def _place(text: str | None) -> tuple[int | None, int | None]:
    if text is None:
        return None, None
    match = re.fullmatch(r"(\d{1,16})\.(\d{1,16})", text)
    if match is None:
        raise BadSetting("before", text, "give what `next` was on the page before")
    return int(match[1]), int(match[2])
