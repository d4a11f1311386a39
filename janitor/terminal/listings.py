"""What the listing verbs tell, as plain rows: computed here, printed elsewhere."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from sqlalchemy import Row as Record

from janitor.jobs import json_texts
from janitor.jobs.counts import stored
from janitor.jobs.dependencies import Status, outdated, status, with_dependencies
from janitor.jobs.job import Job
from janitor.jobs.result_texts import show
from janitor.jobs.slots import next_slot_if_told
from janitor.jobs.standings import Standing
from janitor.state import (
    actions,
    builds,
    description_records,
    job_records,
    log_lines,
    memories,
    progress,
    quarantine,
    recent,
    result_records,
    run_records,
)
from janitor.state.holders import process
from janitor.state.job_records import JobRecord

Row = dict[str, Any]

JOBS = {
    "job": "job",
    "schedule": "schedule",
    "next_run_at": "next run (UTC)",
    "last_outcome": "last outcome",
    "last_at": "at (UTC)",
    "note": "",
}
HISTORY = {
    "at": "at (UTC)",
    "run": "run",
    "job": "job",
    "outcome": "outcome",
    "seconds": "seconds",
    "slots": "slots",
    "counts": "counts",
    "note": "",
}
QUARANTINE = {"job": "job", "key": "key", "items": "waiting", "first_at": "since (UTC)", "reason": "reason"}


def of_jobs(connection: Connection, jobs: Iterable[Job], now: datetime) -> list[Row]:
    """Each job: its schedule, when it runs next, how it ended last, and why not, if it will not run."""
    jobs = list(jobs)
    records, newest = job_records.all_jobs(connection), recent.last_of(connection, [job.id for job in jobs])
    standings = builds.standings(connection, with_dependencies(job for job in jobs if job.dependencies))
    return [_job(job, records.get(job.id), newest.get(job.id), standings, now) for job in jobs]


def history(connection: Connection, job: str | None, limit: int) -> list[Row]:
    """The newest runs, slots without a run, and actions that people took, together; the newest first."""
    found = [_run(record) for record in run_records.history(connection, job, limit)]
    found += [_action(record) for record in actions.listing(connection, job, limit)]
    return sorted(found, key=lambda row: (row["at"], row.get("run") or 0), reverse=True)[:limit]


def of_quarantine(
    connection: Connection, names: Sequence[str], jobs: Mapping[str, Job], *, dropped: bool = False
) -> list[Row]:
    """What cannot be delivered, one row for each key and reason; with `dropped`, what was given up.

    It is that of the quarantines `names`, or of all without any name. Each row has the job that owns its quarantine; if
    no job does, the quarantine's own name.
    """
    rows = [_without(record) for record in quarantine.listing(connection, *names, dropped=dropped)]
    owner = memories.owners(connection, jobs) if rows else {}
    return [{"job": owner.get(name := row.pop("name"), name), **row} for row in rows]


def details(connection: Connection, run_id: int) -> Row | None:
    """Everything that is known of one run; None if there is no such run."""
    record = run_records.get(connection, run_id)
    if record is None:
        return None
    result, config = result_records.load(connection, run_id), description_records.load(connection, record.config)
    return {
        **_run(record),
        "holder": process(record.holder),
        "traceback": record.traceback,
        "progress": progress.read(record.progress) if record.progress else None,
        "used": builds.uses(connection, [run_id]).get(run_id, {}),
        "used_by": [{"run": other, "job": job} for other, job in builds.used_by(connection, run_id)],
        "result": None if result is None else json_texts.read(show(result)),
        "config": json_texts.read(config),
        "attempt_list": [_without(attempt, "run_id") for attempt in run_records.attempts_of(connection, run_id)],
        "log": [_without(line, "run_id", "id") for line in log_lines.of_run(connection, run_id)],
    }


def _job(
    job: Job, record: JobRecord | None, last: Record[Any] | None, standings: Mapping[str, Standing], now: datetime
) -> Row:
    paused_at, paused_by = (record.paused_at, record.paused_by) if record else (None, None)
    freshness = status(job, standings) if job.dependencies else None
    newer = outdated(job, standings) if freshness is Status.OUTDATED else []
    return {
        "job": job.id,
        "schedule": job.schedule,
        "enabled": job.enabled,
        "disabled_because": job.disabled_because or None,
        "paused_at": paused_at,
        "paused_by": paused_by,
        "next_run_at": next_slot_if_told(job.trigger, now) if job.enabled and paused_at is None else None,
        "last_run": last.id if last else None,
        "last_outcome": _outcome(last) if last else None,
        "last_at": (last.ended_at or last.started_at) if last else None,
        "title": job.title or None,
        "tags": list(job.tags),
        "dependencies": list(job.dependencies),
        "status": freshness.value if freshness else None,
        "outdated_by": newer,
        "last_reason": last.reason if last else None,
        "note": _job_note(job, paused_at, paused_by, newer),
    }


def _job_note(job: Job, paused_at: datetime | None, paused_by: str | None, newer: Sequence[str]) -> str:
    if not job.enabled:
        return f"disabled: {job.disabled_because or None}"
    if paused_at is not None:
        return f"paused since {paused_at:%Y-%m-%d %H:%M:%S} by {paused_by}"
    return f"outdated: {' and '.join(newer)} succeeded since" if newer else ""


def _run(record: Record[Any]) -> Row:
    return {
        **_without(record, "id", "progress", "traceback", "holder", "config"),
        "kind": "run",
        "run": record.id,
        "at": record.started_at,
        "outcome": _outcome(record),
        "counts": stored(record.counts),
        "slots": record.slots or None,
        "note": " · ".join(_run_notes(record)),
    }


def _run_notes(record: Record[Any]) -> Iterator[str]:
    origins = {"by_hand": "by hand", "catch_up": "catching up"}
    if record.origin in origins:
        yield origins[record.origin]
    if record.dry_run:
        yield "dry run"
    if record.attempts > 1:
        yield f"{record.attempts} attempts"
    if record.reason:
        yield record.reason


def _action(record: Record[Any]) -> Row:
    return {
        **_without(record, "id"),
        "kind": "action",
        "run": None,
        "outcome": None,
        "note": f"{record.action} by {record.actor}" + (f": {record.detail}" if record.detail else ""),
    }


def _outcome(record: Record[Any]) -> str:
    return record.outcome or "running"


def _without(record: Record[Any], *names: str) -> Row:
    return {str(name): value for name, value in record._mapping.items() if name not in names}
