"""Runs of all jobs."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query

from janitor.operations import actions, deletion
from janitor.state import run_records
from janitor.web.api.answers import Changed, errors, found, reading
from janitor.web.api.parameters import MOST_ID, Flag, RunId, RunsQuery
from janitor.web.desk import Desk
from janitor.web.injected import Operator, TheDesk
from janitor.web.queries import models
from janitor.web.queries.given import whole
from janitor.web.queries.history import run_list
from janitor.web.queries.logs import log_of
from janitor.web.queries.runs import run_page

router = APIRouter(prefix="/runs", tags=["runs"])


@router.get("", responses=errors())
def get_runs(desk: TheDesk, asked: Annotated[RunsQuery, Query()]) -> models.RunList:
    """List the runs of all jobs, and the slots without a run, the newest first."""
    wanted = asked.filter()
    with reading(desk) as (connection, _):
        return run_list(connection, desk.jobs, wanted, asked.limit, asked.before)


@router.get("/{run}", responses=errors(404))
def get_run(desk: TheDesk, run: RunId) -> models.RunPage:
    """Tell all that is known of a run but its log: outcome, reason, counts, progress, attempts, traceback."""
    with reading(desk) as (connection, at):
        return found(run_page(connection, run, at, partial(whole, mask=desk.runner.mask)), f"run {run}")


@router.get("/{run}/log", responses=errors(404))
def get_log(
    desk: TheDesk,
    run: RunId,
    after: Annotated[int, Query(ge=0, le=MOST_ID, description="`next_after` of the last stretch.")] = 0,
    tail: Annotated[Flag, Query(description="The last lines instead of the first.")] = False,
    least: Annotated[models.Level | None, Query(description="Only lines of this level or a higher level.")] = None,
    limit: Annotated[int, Query(ge=1, le=5_000, description="How many lines at most.")] = 1_000,
) -> models.LogLines:
    """List what a run logged, in order; ask again with `next_after` for what it logs from then on."""
    with reading(desk) as (connection, _):
        return found(log_of(connection, run, after, limit, tail=tail, least=least or ""), f"run {run}")


@router.post("/{run}/cancel", responses=errors(404, 409))
def cancel_run(desk: TheDesk, run: RunId, user: Operator) -> Changed:
    """Ask a run to stop at its next safe point, in whatever process. Idempotent until it has ended; then 409."""
    _must_exist(desk, run)
    return Changed(changed=actions.cancel(desk.state, run, user.name, desk.now()))


@router.delete("/{run}", responses=errors(404, 409))
def delete_run(desk: TheDesk, run: RunId, user: Operator) -> Changed:
    """Delete a run, after its job's cleanup has done its part. If the cleanup fails, the run stays: 409."""
    _must_exist(desk, run)
    deletion.delete(desk.state, desk.jobs, desk.settings, run, user.name, desk.now())
    return Changed(changed=True)


def _must_exist(desk: Desk, run: int) -> None:
    with reading(desk) as (connection, _):
        found(run_records.get(connection, run), f"run {run}")
