"""The JSON API: what the pages show, and what their buttons do, for programs."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from functools import partial
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Depends, HTTPException, Path, Query
from fastapi.routing import APIRoute
from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema
from sqlalchemy import Connection

from janitor.jobs import schedules
from janitor.jobs.job import Job
from janitor.operations import actions, deletion
from janitor.state import run_records
from janitor.web.access.gate import User
from janitor.web.access.permissions import changing, viewer
from janitor.web.charts import graph
from janitor.web.desk import Desk
from janitor.web.parameters import desk
from janitor.web.queries import given
from janitor.web.queries import jobs as queries
from janitor.web.queries import models, overview

T = TypeVar("T")
MOST_ID = 2**53
"""The highest id that is taken: the highest whole number that every JSON parser keeps."""
LAST = datetime(9999, 1, 1, tzinfo=timezone.utc)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_TEXT = r"^[^\x00]*$"
_WORDS = r"^[^\x00]*\S[^\x00]*$"


def _instant(value: object) -> object:
    """An instant of RFC 3339, within the years that every database knows."""
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        raise ValueError("give an instant with its offset, such as 2026-01-31T12:00:00Z")
    return min(max(datetime.fromisoformat(value.upper()), schedules.EPOCH), LAST)


def _flag(value: object) -> object:
    if value not in ("true", "false", True, False):
        raise ValueError("give true or false")
    return value in ("true", True)


JobId = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}$", description="The job's id.")]
RunId = Annotated[int, Path(ge=1, le=MOST_ID, description="The run's id.")]
AnId = Annotated[int, Field(ge=1, le=MOST_ID)]
Instant = Annotated[datetime, BeforeValidator(_instant), WithJsonSchema({"type": "string", "format": "date-time"})]
Flag = Annotated[bool, BeforeValidator(_flag), WithJsonSchema({"type": "boolean"})]
Since = Annotated[Instant | None, Query(description="Only what began at this instant or later.")]
Until = Annotated[Instant | None, Query(description="Only what began before this instant.")]
Before = Annotated[AnId | None, Query(description="Go on below this id: `next_before` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=500, description="How many at most.")]
OutcomeIs = Annotated[models.Outcome | None, Query(description="Only runs that ended so, or are running.")]
OriginIs = Annotated[
    Literal["schedule", "catch_up", "by_hand", "after"] | None,
    Query(description="Only runs that began for this reason."),
]
OfJob = Annotated[str | None, Query(max_length=64, pattern=_TEXT, description="Only what concerns this job.")]
ADesk = Annotated[Desk, Depends(desk)]
Actor = Annotated[User, Depends(changing)]


class Body(models.Model):
    """What a request says, with no more names than are known."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class RunWish(Body):
    """How a job is to run."""

    dry_run: bool = Field(False, description="Only count what would be done.")
    confirm: str = Field("", max_length=64, description="The job's id, where the job is protected.")


class RetryWish(Body):
    """What the next run is to look at first."""

    key: str | None = Field(None, max_length=255, pattern=_TEXT, description="One key; null for all.")


class DropWish(Body):
    """What is given up."""

    key: str = Field(max_length=255, pattern=_TEXT)
    note: str = Field(max_length=2_000, pattern=_WORDS, description="Why.", examples=["thrown away in 2019"])


class JobList(models.Model):
    """Every job, overdue ones first, then failing ones."""

    now: datetime
    jobs: list[models.JobLine]


class Started(models.Model):
    """A run that has begun."""

    run: int


class Changed(models.Model):
    """Whether anything changed: false where it was so already."""

    changed: bool


class Counted(models.Model):
    """How many quarantined rows it was."""

    rows: int


SAYS = {
    400: "The request's body is no JSON.",
    401: "Nobody known is asking.",
    403: "Whoever asks may not do this.",
    404: "There is no such thing.",
    409: "As things stand this cannot be done.",
    422: "Something in the request is malformed.",
    503: "The state database is away, or the daemon is stopping.",
}


def _errors(*codes: int) -> dict[int | str, dict[str, Any]]:
    return {code: {"model": models.Error, "description": SAYS[code]} for code in (401, 403, *codes, 422, 503)}


def _name(route: APIRoute) -> str:
    return route.name


router = APIRouter(prefix="/api", dependencies=[Depends(viewer)], generate_unique_id_function=_name)


@router.get("/overview", tags=["overview"], responses=_errors())
def get_overview(at: ADesk) -> models.Overview:
    """Tell how the last 24 hours went: a timeline of all jobs, what runs, what failed, what was done each hour."""
    with _reading(at) as (connection, now):
        return overview.overview(connection, at.jobs, now)


@router.get("/jobs", tags=["jobs"], responses=_errors())
def get_jobs(at: ADesk) -> JobList:
    """List the jobs: overdue ones first, then failing ones, then the others."""
    with _reading(at) as (connection, now):
        return JobList(now=now, jobs=queries.jobs(connection, at.jobs, now))


@router.get("/graph", tags=["jobs"], responses=_errors(404))
def get_graph(at: ADesk, job: OfJob = None) -> models.Graph:
    """Tell how jobs depend on one another, and how each stands: all of them, or those before and behind one."""
    with _reading(at) as (connection, _):
        return queries.graph(connection, graph.around(at.jobs, None if job is None else _job(at, job).id))


@router.get("/jobs/{job}", tags=["jobs"], responses=_errors(404))
def get_job(at: ADesk, job: JobId) -> models.JobPage:
    """Tell all that is known of a job: what it does, when it runs, how it went, the settings in force."""
    wanted = _job(at, job)
    with _reading(at) as (connection, now):
        return queries.job(connection, at.jobs, wanted, at.settings, now)


@router.get("/jobs/{job}/runs", tags=["jobs"], responses=_errors(404))
def get_runs_of_job(
    at: ADesk,
    job: JobId,
    outcome: OutcomeIs = None,
    origin: OriginIs = None,
    since: Since = None,
    until: Until = None,
    before: Before = None,
    limit: Limit = 50,
) -> models.RunList:
    """List the runs of a job, and the slots that got none, the newest first."""
    wanted = queries.Filter(_job(at, job).id, outcome, origin, since, until)
    with _reading(at) as (connection, _):
        return queries.listed(connection, at.jobs, wanted, limit, before)


@router.get("/jobs/{job}/quarantine", tags=["quarantine"], responses=_errors(404))
def get_quarantine(
    at: ADesk,
    job: JobId,
    dropped: Annotated[Flag, Query(description="What was given up instead.")] = False,
    offset: Annotated[int, Query(ge=0, le=10_000_000, description="`next_offset` of the page before.")] = 0,
    limit: Limit = 100,
) -> models.QuarantineList:
    """List what a job could not deliver, each with its reason, the oldest first."""
    wanted = _job(at, job)
    with _reading(at) as (connection, _):
        return queries.quarantine(connection, wanted.id, limit, offset, dropped=dropped)


@router.post("/jobs/{job}/run", tags=["jobs"], status_code=202, responses=_errors(400, 404, 409))
def run_job(at: ADesk, job: JobId, who: Actor, wish: RunWish = RunWish(dry_run=False, confirm="")) -> Started:
    """Begin a run of a job now, in this daemon. Not idempotent, but a job that is running is not run again: 409."""
    wanted = _job(at, job)
    run = actions.run_now(at.daemon, at.state, wanted, wish.dry_run, who.name, _now(), wish.confirm)
    return Started(run=run)


@router.post("/jobs/{job}/pause", tags=["jobs"], responses=_errors(404))
def pause_job(at: ADesk, job: JobId, who: Actor) -> Changed:
    """Let no further slot of a job run, until it is resumed, also over restarts. Idempotent."""
    return Changed(changed=actions.pause(at.state, _job(at, job), who.name, _now()))


@router.post("/jobs/{job}/resume", tags=["jobs"], responses=_errors(404))
def resume_job(at: ADesk, job: JobId, who: Actor) -> Changed:
    """Let a paused job's slots run again. Idempotent."""
    return Changed(changed=actions.resume(at.state, _job(at, job), who.name, _now()))


@router.post("/jobs/{job}/quarantine/retry", tags=["quarantine"], responses=_errors(400, 404))
def retry_quarantine(at: ADesk, job: JobId, who: Actor, wish: RetryWish) -> Counted:
    """Let the next run look first at a key in quarantine, or at all. Idempotent."""
    return Counted(rows=actions.retry(at.state, _job(at, job).id, wish.key, who.name, _now()))


@router.post("/jobs/{job}/quarantine/drop", tags=["quarantine"], responses=_errors(400, 404))
def drop_quarantine(at: ADesk, job: JobId, who: Actor, wish: DropWish) -> Counted:
    """Give a key in quarantine up, until it is refused for another reason. Idempotent: the first note stays."""
    return Counted(rows=actions.drop(at.state, _job(at, job).id, wish.key, wish.note, who.name, _now()))


@router.get("/runs", tags=["runs"], responses=_errors())
def get_runs(
    at: ADesk,
    outcome: OutcomeIs = None,
    origin: OriginIs = None,
    since: Since = None,
    until: Until = None,
    before: Before = None,
    limit: Limit = 50,
) -> models.RunList:
    """List the runs of all jobs, and the slots that got none, the newest first."""
    wanted = queries.Filter(None, outcome, origin, since, until)
    with _reading(at) as (connection, _):
        return queries.listed(connection, at.jobs, wanted, limit, before)


@router.get("/runs/{run}", tags=["runs"], responses=_errors(404))
def get_run(at: ADesk, run: RunId) -> models.RunPage:
    """Tell all that is known of a run but its log: outcome, reason, counts, progress, attempts, traceback."""
    with _reading(at) as (connection, now):
        return _found(queries.run(connection, run, now, partial(given.whole, mask=at.runner.mask)), f"run {run}")


@router.get("/runs/{run}/log", tags=["runs"], responses=_errors(404))
def get_log(
    at: ADesk,
    run: RunId,
    after: Annotated[int, Query(ge=0, le=MOST_ID, description="`next_after` of the stretch before.")] = 0,
    tail: Annotated[Flag, Query(description="The last lines instead of the first.")] = False,
    least: Annotated[models.Level | None, Query(description="Only lines of this level or a higher one.")] = None,
    limit: Annotated[int, Query(ge=1, le=5_000, description="How many lines at most.")] = 1_000,
) -> models.LogLines:
    """List what a run logged, in order; ask again with `next_after` for what it logs from then on."""
    with _reading(at) as (connection, _):
        return _found(queries.log(connection, run, after, limit, tail=tail, least=least or ""), f"run {run}")


@router.post("/runs/{run}/cancel", tags=["runs"], responses=_errors(404, 409))
def cancel_run(at: ADesk, run: RunId, who: Actor) -> Changed:
    """Ask a run to stop at its next safe point, whichever process runs it. Idempotent while it runs; then 409."""
    with _reading(at) as (connection, _):
        _found(run_records.get(connection, run), f"run {run}")
    return Changed(changed=actions.cancel(at.state, run, who.name, _now()))


@router.delete("/runs/{run}", tags=["runs"], responses=_errors(404, 409))
def delete_run(at: ADesk, run: RunId, who: Actor) -> Changed:
    """Delete a run, once its job's cleanup has done its part; where that fails it stays: 409."""
    with _reading(at) as (connection, _):
        _found(run_records.get(connection, run), f"run {run}")
    deletion.delete(at.state, at.jobs, at.settings, run, who.name, _now())
    return Changed(changed=True)


@router.get("/actions", tags=["overview"], responses=_errors())
def get_actions(at: ADesk, job: OfJob = None, before: Before = None, limit: Limit = 50) -> models.ActionList:
    """List what people did: who, what and when, the newest first."""
    with _reading(at) as (connection, _):
        return queries.audit(connection, job, limit, before)


@router.get("/notices", tags=["overview"], responses=_errors())
def get_notices(at: ADesk, job: OfJob = None, limit: Limit = 100) -> models.NoticeList:
    """List what people were told of, and what no channel took."""
    with _reading(at) as (connection, _):
        return overview.notices_of(connection, job, limit)


@contextmanager
def _reading(at: Desk) -> Iterator[tuple[Connection, datetime]]:
    with at.state.read() as connection:
        yield connection, _now()


def _now() -> datetime:
    return datetime.now(timezone.utc)


def _job(at: Desk, job: str) -> Job:
    if job not in at.jobs:
        raise HTTPException(404, f"there is no job {job}; the jobs are {', '.join(at.jobs)}")
    return at.jobs[job]


def _found(thing: T | None, what: str) -> T:
    if thing is None:
        raise HTTPException(404, f"there is no {what}")
    return thing
