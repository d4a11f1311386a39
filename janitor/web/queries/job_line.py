"""One job, as a list of jobs shows it."""

import inspect
import re
from collections.abc import Sequence
from functools import partial
from typing import Any

from sqlalchemy import Row

from janitor.feeds.position import describe
from janitor.jobs import dependencies
from janitor.jobs.job import Job
from janitor.jobs.schedule_in_english import in_english
from janitor.jobs.slots import next_slot_if_told
from janitor.jobs.with_work import WITH_WORK, Paced
from janitor.operations import cursor
from janitor.web.queries import models, records
from janitor.web.queries.known import Known, Latest, Overall, last_ended

FAILURES = ("failed", "timed_out")
NEUTRAL = ("skipped", "missed", "cancelled", "interrupted", "running")
"""Outcomes that do not tell whether a job works."""


def job_line(job: Job, known: Known) -> models.JobLine:
    """A job's line, made of what is known of it."""
    record, rows = known.records.get(job.id), known.newest.get(job.id, ())
    last, live = last_ended(rows), next((row for row in rows if row.outcome is None), None)
    paused_at, failures = record.paused_at if record else None, failures_of(rows)
    late, success = known.overdue.get(job.id), known.successes.get(job.id)
    return models.JobLine(
        id=job.id,
        title=job.title or _first_sentence(docstring(job)),
        condition=condition_of(job, known, latest_of(rows)),
        schedule=job.schedule,
        schedule_text=_schedule_text(job),
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
        next_run_at=next_slot_if_told(job.trigger, known.now) if job.enabled and paused_at is None else None,
        cursor=_cursor(job.id, known),
        quarantined=known.quarantined.get(job.id, 0),
        tags=list(job.tags),
        pipeline=job.work.pipeline if job.work else None,
        protect=job.protect,
        **_dependencies(job, known),
    )


def latest_of(rows: Sequence[Row[Any]]) -> Latest:
    """What a job's last runs tell; they are given with the newest first."""
    return Latest(rows[0].id if rows else 0, any(row.outcome is None for row in rows), failures_of(rows) > 0)


def condition_of(job: Job, overall: Overall, latest: Latest) -> models.Condition:
    """A job's condition."""
    record = overall.records.get(job.id)
    if not job.enabled:
        return "disabled"
    if record is not None and record.paused_at is not None:
        return "paused"
    if job.id in overall.overdue:
        return "overdue"
    if latest.fails:
        return "failing"
    return "running" if latest.runs else "fine" if latest.newest else "new"


def docstring(job: Job) -> str:
    """The docstring of the job's task, without its indentation; empty if there is none."""
    func = job.func
    while isinstance(func, partial):
        func = func.func
    return inspect.getdoc(func) or ""


def _schedule_text(job: Job) -> str:
    if isinstance(job.trigger, Paced) and job.trigger.pace is not None:
        return f"{in_english(job.trigger.pace)}, if there is work"
    if job.schedule == WITH_WORK:
        return "whenever there is work"
    if not job.after:
        return in_english(job.trigger)
    return f"after {job.dependencies[0] if len(job.dependencies) == 1 else f'its {len(job.dependencies)} dependencies'}"


def failures_of(rows: Sequence[Row[Any]]) -> int:
    """How many of a job's last runs failed in a row."""
    count = 0
    for row in rows:
        if row.dry_run or (row.outcome or "running") in NEUTRAL:
            continue
        if row.outcome not in FAILURES:
            break
        count += 1
    return count


def _first_sentence(text: str) -> str:
    paragraph = " ".join(text.split("\n\n")[0].split())
    return re.split(r"(?<=[.!?]) ", paragraph)[0]


def _cursor(job_id: str, known: Known) -> models.Cursor | None:
    row, success = known.cursors.get(job_id), known.successes.get(job_id)
    if row is None:
        return None
    try:
        facts = describe(row.position)
        text = cursor.sentence(job_id, {"job": job_id, **facts})
    except (ValueError, LookupError, TypeError):
        facts, text = {}, f"{job_id} has a cursor of its own kind"
    read_at = success.started_at if success else None
    names = ("top", "settled", "taken_above", "gaps", "snapshot_after")
    return models.Cursor(
        **{name: facts.get(name) for name in names},
        text=text,
        moved_at=row.updated_at,
        read_at=read_at,
        lag_seconds=max(0.0, (known.now - read_at).total_seconds()) if read_at else None,
    )


def _dependencies(job: Job, known: Known) -> dict[str, Any]:
    dependents = known.dependents.get(job.id, ())
    status = dependencies.status(job, known.standings) if job.dependencies or dependents else None
    is_outdated = status is dependencies.Status.OUTDATED
    return {
        "dependencies": list(job.dependencies),
        "dependents": list(dependents),
        "status": status.value if status else None,
        "outdated_by": dependencies.outdated(job, known.standings) if is_outdated else [],
    }
