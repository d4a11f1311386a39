"""Calling a job's `cleanup` with a run before the run's record is deleted."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NoReturn

from sqlalchemy import Row

from janitor.errors import JanitorError, summary
from janitor.guard import foreign_code
from janitor.jobs.counts import stored
from janitor.jobs.descriptions import job_takes_settings
from janitor.jobs.job import Job
from janitor.jobs.result_texts import decode
from janitor.jobs.returned import call
from janitor.runs import Fence, PastRun
from janitor.settings.settings import Settings
from janitor.state import State, builds, expired, result_records, retention, run_records
from janitor.state.expired import Batch, Bounds, Runs

log = logging.getLogger(__name__)

BATCH = 200
"""So many runs are looked at before the first of them is cleaned up."""


def prune(
    state: State, jobs: Mapping[str, Job], settings: Settings, bounds: Bounds, fences: Sequence[Fence] = ()
) -> int:
    """Delete the old runs of jobs that have a `cleanup`; how many went.

    A run goes once its cleanup has succeeded, in a commit of its own; a run whose cleanup failed stays. No cleanup is
    called, and no run goes, once one of the `fences` does not stand any more.

    Raises:
        Fenced: another daemon leads now.
        Unavailable, Rejected: the state database is away.
    """
    found = (run_id for walk in expired.walks(bounds) for run_id in _found(state, walk))
    return sum(_prune(state, jobs, settings, run_id, fences) for run_id in found)


def _found(state: State, walk: Runs) -> Iterator[int]:
    """The runs that a walk finds; nothing is open while somebody has one of them."""
    batch: Batch | None = Batch([])
    while batch is not None:
        yield from batch.ids
        with state.read() as connection:
            batch = walk.next(connection, BATCH)


def _prune(state: State, jobs: Mapping[str, Job], settings: Settings, run_id: int, fences: Sequence[Fence]) -> bool:
    """Clean up a run, and delete it; whether it went."""
    with state.begin(*fences) as connection:
        row = run_records.get(connection, run_id)
    if row is None:
        return False
    try:
        clean_up(state, jobs.get(row.job), settings, row)
    except JanitorError:
        return False  # clean_up has logged it, and the run's record tells of it
    with state.begin(*fences) as connection:
        retention.remove(connection, [row.id])
    return True


def clean_up(state: State, job: Job | None, settings: Settings, row: Row[Any]) -> None:
    """Call the `cleanup` of a run's job with the run, if the job has a cleanup.

    Raises:
        JanitorError: it failed; the reason is kept with the run.
    """
    if job is None or job.cleanup is None:
        return
    # It may also leave with SystemExit, or be a coroutine.
    with foreign_code(partial(_keep_record, state, row), BaseException):
        given = {"settings": settings} if job_takes_settings(job.cleanup) else {}
        call(partial(job.cleanup, _past(state, row), **given), "no")


def _keep_record(state: State, row: Row[Any], error: BaseException) -> NoReturn:
    """Keep the record of a run whose cleanup failed, with the reason."""
    reason = f"cleanup of run {row.id} of {row.job} failed, so that its record stays: {summary(error)}"
    log.warning("%s", reason)
    with state.begin() as connection:
        run_records.keep_because(connection, row.id, reason)
    raise JanitorError(reason) from error


def _past(state: State, row: Row[Any]) -> PastRun:
    with state.read() as connection:
        content, used = result_records.load(connection, row.id), builds.uses(connection, [row.id])
    result = None if content is None else decode(content)
    counts = stored(row.counts)
    return PastRun(row.id, row.job, row.outcome, row.started_at, row.ended_at, counts, result, used.get(row.id, {}))
