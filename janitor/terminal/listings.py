"""What the listing verbs tell, as plain rows: computed here, printed elsewhere."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from sqlalchemy import Row as Record

from janitor.jobs.dependencies import Status, outdated, status, with_dependencies
from janitor.jobs.job import Job
from janitor.jobs.result_texts import show
from janitor.jobs.slots import next_slot
from janitor.state import actions, builds, job_records, log_lines, quarantine, run_records
from janitor.state.leases import process

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
    """Each job: its schedule, when it runs next, how it ended last, and why it does not run where it does not."""
    records, newest = job_records.all_jobs(connection), run_records.newest(connection)
    jobs, rows = list(jobs), []
    standings = builds.standings(connection, with_dependencies(job for job in jobs if job.dependencies))
    for job in jobs:
        record, last = records.get(job.id), newest.get(job.id)
        paused_at, paused_by = (record.paused_at, record.paused_by) if record else (None, None)
        runs_next = job.enabled and paused_at is None
        row: Row = {"job": job.id, "schedule": job.schedule, "enabled": job.enabled}
        row |= {"disabled_because": job.disabled_because or None, "paused_at": paused_at, "paused_by": paused_by}
        row["next_run_at"] = next_slot(job.trigger, now) if runs_next else None
        row |= {"last_run": last.id if last else None, "last_outcome": _outcome(last) if last else None}
        row |= {"last_at": (last.ended_at or last.started_at) if last else None}
        row |= {"title": job.title or None, "tags": list(job.tags), "dependencies": list(job.dependencies)}
        row["status"] = status(job, standings).value if job.dependencies else None
        row["outdated_by"] = outdated(job, standings) if row["status"] == Status.OUTDATED else []
        rows.append(row | {"last_reason": last.reason if last else None, "note": _job_note(row)})
    return rows


def history(connection: Connection, job: str | None, limit: int) -> list[Row]:
    """The newest runs, slots that got none, and actions that people took, together; the newest first."""
    found = [_run(record) for record in run_records.history(connection, job, limit)]
    found += [_action(record) for record in actions.listing(connection, job, limit)]
    return sorted(found, key=lambda row: (row["at"], row.get("run") or 0), reverse=True)[:limit]


def of_quarantine(connection: Connection, name: str | None, *, dropped: bool = False) -> list[Row]:
    """What cannot be delivered (or was given up), one row for each key and reason."""
    rows = [_without(record) for record in quarantine.listing(connection, name, dropped=dropped)]
    return [{"job": row.pop("name"), **row} for row in rows]


def details(connection: Connection, run_id: int) -> Row | None:
    """Everything that is known of one run; None where there is none of that id."""
    record = run_records.get(connection, run_id)
    if record is None:
        return None
    row = _run(record) | {"holder": process(record.holder), "traceback": record.traceback}
    row["progress"] = json.loads(record.progress) if record.progress else None
    row["used"] = builds.uses(connection, [run_id]).get(run_id, {})
    row["used_by"] = [{"run": other, "job": job} for other, job in builds.used_by(connection, run_id)]
    result, config = builds.result(connection, run_id), builds.config(connection, record.config)
    row["result"] = None if result is None else json.loads(show(result))
    row["config"] = None if config is None else json.loads(config)
    row["attempt_list"] = [_without(one, "run_id") for one in run_records.attempts_of(connection, run_id)]
    row["log"] = [_without(line, "run_id", "id") for line in log_lines.of_run(connection, run_id)]
    return row


def _run(record: Record[Any]) -> Row:
    row = _without(record, "id", "progress", "traceback", "holder", "config")
    counts: Mapping[str, Any] | None = json.loads(record.counts) if record.counts else None
    row |= {"kind": "run", "run": record.id, "at": record.started_at, "outcome": _outcome(record), "counts": counts}
    if record.slots <= 1:
        row["slots"] = record.slots or None
    return row | {"note": " · ".join(_run_notes(record))}


def _run_notes(record: Record[Any]) -> list[str]:
    notes = {"by_hand": ["by hand"], "catch_up": ["catching up"]}.get(record.origin, [])
    notes = notes + (["dry run"] if record.dry_run else [])
    notes += [f"{record.attempts} attempts"] if record.attempts > 1 else []
    return notes + ([record.reason] if record.reason else [])


def _action(record: Record[Any]) -> Row:
    row = _without(record, "id") | {"kind": "action", "run": None, "outcome": None}
    return row | {"note": f"{record.action} by {record.actor}" + (f": {record.detail}" if record.detail else "")}


def _job_note(row: Row) -> str:
    if not row["enabled"]:
        return f"disabled: {row['disabled_because']}"
    if row["paused_at"] is not None:
        return f"paused since {row['paused_at']:%Y-%m-%d %H:%M:%S} by {row['paused_by']}"
    if row["outdated_by"]:
        return f"outdated: {' and '.join(row['outdated_by'])} succeeded since"
    return ""


def _outcome(record: Record[Any]) -> str:
    return record.outcome or "running"


def _without(record: Record[Any], *names: str) -> Row:
    return {str(name): value for name, value in record._mapping.items() if name not in names}
