"""Jobs, and the runs of one job."""

from typing import Annotated

from fastapi import APIRouter, Query

from janitor.operations import actions
from janitor.web.api.answers import Changed, JobList, Started, errors, job_of, kept_job, reading
from janitor.web.api.parameters import JobId, Limit, Offset, OfJob, RunsQuery, RunWish
from janitor.web.charts.graph import around
from janitor.web.injected import Operator, TheDesk
from janitor.web.queries import models
from janitor.web.queries.graph import graph_of
from janitor.web.queries.history import run_list
from janitor.web.queries.jobs import job_lines, job_order, job_page

router = APIRouter(tags=["jobs"])


@router.get("/jobs", responses=errors())
def get_jobs(desk: TheDesk, offset: Offset = 0, limit: Limit = 50) -> JobList:
    """List the jobs: overdue jobs first, then failing jobs, then the others; `limit` of them, after `offset` others."""
    # A copy: the jobs may be replaced meanwhile.
    all_jobs = dict(desk.jobs)
    with reading(desk) as (connection, at):
        order = job_order(connection, all_jobs, at)
        names = list(order.conditions)[offset : offset + limit]
        return JobList(now=at, jobs=job_lines(connection, all_jobs, order, names), count=len(all_jobs))


@router.get("/graph", responses=errors(404))
def get_graph(desk: TheDesk, job: OfJob = None) -> models.Graph:
    """Tell how jobs depend on one another, and the status of each: of all, or of the jobs before and behind `job`."""
    with reading(desk) as (connection, _):
        return graph_of(connection, around(desk.jobs, None if job is None else job_of(desk, job).id))


@router.get("/jobs/{job}", responses=errors(404))
def get_job(desk: TheDesk, job: JobId) -> models.JobPage:
    """Tell all that is known of a job: what it does, when it runs, how its runs went, the settings in force."""
    wanted = job_of(desk, job)
    with reading(desk) as (connection, at):
        return job_page(connection, desk.jobs, wanted, desk.settings, at)


@router.get("/jobs/{job}/runs", responses=errors(404))
def get_runs_of_job(desk: TheDesk, job: JobId, asked: Annotated[RunsQuery, Query()]) -> models.RunList:
    """List the runs of a job, there or gone, and its slots without a run, the newest first."""
    wanted = asked.filter(kept_job(desk, job).id)
    with reading(desk) as (connection, _):
        return run_list(connection, desk.jobs, wanted, asked.limit, asked.before)


@router.post("/jobs/{job}/run", status_code=202, responses=errors(400, 404, 409))
def run_job(desk: TheDesk, job: JobId, user: Operator, wish: RunWish = RunWish(dry_run=False, confirm="")) -> Started:
    """Begin a run of a job now, in this daemon. Not idempotent; but a job that is running is not run again: 409."""
    wanted = job_of(desk, job)
    run = actions.run_now(desk.daemon, desk.state, wanted, wish.dry_run, user.name, desk.now(), wish.confirm)
    return Started(run=run)


@router.post("/jobs/{job}/pause", responses=errors(404))
def pause_job(desk: TheDesk, job: JobId, user: Operator) -> Changed:
    """Let no further slot of a job run until it is resumed, also after a restart. Idempotent."""
    return Changed(changed=actions.pause(desk.state, job_of(desk, job), user.name, desk.now()))


@router.post("/jobs/{job}/resume", responses=errors(404))
def resume_job(desk: TheDesk, job: JobId, user: Operator) -> Changed:
    """Let a paused job's slots run again; the job may be gone. Idempotent."""
    return Changed(changed=actions.resume(desk.state, kept_job(desk, job).id, user.name, desk.now()))
