"""Deleting runs with what they left behind: a job's `cleanup` is called with the run before its record goes."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from janitor.errors import BadSetting, JanitorError
from janitor.jobs.descriptions import job_takes_settings
from janitor.jobs.job import Job
from janitor.jobs.results import decode
from janitor.runs import in_words
from janitor.settings.settings import Settings
from janitor.state import State, actions, builds, retention, runs

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PastRun:
    """A run that is about to be deleted, as its job's `cleanup` gets it; `result` is None where none is kept."""

    id: int
    job: str
    outcome: str
    started_at: datetime
    ended_at: datetime | None
    counts: Mapping[str, Any] | None
    result: Any = None
    used: Mapping[str, int] = field(default_factory=dict)


def delete(state: State, jobs: Mapping[str, Job], settings: Settings, run_id: int, actor: str, now: datetime) -> None:
    """Delete a run with its log, result and attempts, once its job's `cleanup` has done its part.

    Raises:
        BadSetting: there is no such run.
        JanitorError: it goes on, holds its job's newest slot, or `cleanup` failed; the record stays, with the reason.
    """
    with state.read() as connection:
        row = runs.get(connection, run_id)
        newest = row is not None and run_id in retention.newest_slots(connection, [row.job])
    if row is None:
        raise BadSetting("RUN", run_id, "give the id of a run, as the history lists them")
    if row.outcome is None:
        raise JanitorError(f"run {run_id} of {row.job} goes on: cancel it first")
    if newest:
        raise JanitorError(
            f"run {run_id} holds the newest slot of {row.job}, by which the clock knows what has run: "
            "delete it once a newer slot has an outcome"
        )
    clean_up(state, jobs.get(row.job), settings, row)
    with state.begin() as connection:
        retention.remove(connection, [run_id])
        actions.record(connection, actor, "deleted", row.job, f"run {run_id}", now)


def prune(state: State, jobs: Mapping[str, Job], settings: Settings, bounds: retention.Bounds) -> int:
    """Delete up to 200 runs of jobs that have a `cleanup`, each once that has done its part; how many went."""
    with state.read() as connection:
        rows = [row for run_id in retention.expired(connection, bounds) if (row := runs.get(connection, run_id))]
    gone = 0
    for row in rows:
        try:
            clean_up(state, jobs.get(row.job), settings, row)
        except JanitorError:
            continue  # it is logged, and the run tells of it
        with state.begin() as connection:
            retention.remove(connection, [row.id])
        gone += 1
    return gone


def clean_up(state: State, job: Job | None, settings: Settings, row: Row[Any]) -> None:
    """Call the `cleanup` of a run's job with the run, where it has one.

    Raises:
        JanitorError: it failed; the reason is kept with the run.
    """
    if job is None or job.cleanup is None:
        return
    try:
        given = {"settings": settings} if job_takes_settings(job.cleanup) else {}
        job.cleanup(_past(state, row), **given)
    except Exception as exc:
        reason = f"cleanup of run {row.id} of {row.job} failed, so that its record stays: {in_words(exc)}"
        log.warning("%s", reason)
        with state.begin() as connection:
            runs.keep_because(connection, row.id, reason)
        raise JanitorError(reason) from exc


def _past(state: State, row: Row[Any]) -> PastRun:
    with state.read() as connection:
        content, used = builds.result(connection, row.id), builds.uses(connection, [row.id])
    counts = json.loads(row.counts) if row.counts else None
    result = None if content is None else decode(content)
    return PastRun(row.id, row.job, row.outcome, row.started_at, row.ended_at, counts, result, used.get(row.id, {}))
