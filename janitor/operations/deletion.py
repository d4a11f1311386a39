"""Deleting runs with what they left behind: the job's `cleanup` gets the run, then the run's record goes."""

import logging
from collections.abc import Mapping
from datetime import datetime

from janitor.engine.cleanup import clean_up
from janitor.errors import BadSetting, JanitorError
from janitor.jobs.job import Job
from janitor.settings.settings import Settings
from janitor.state import State, actions, expired, retention, run_records

log = logging.getLogger(__name__)


def delete(state: State, jobs: Mapping[str, Job], settings: Settings, run_id: int, actor: str, now: datetime) -> None:
    """Delete a run with its log, result and attempts, after its job's `cleanup` has done its part.

    Raises:
        BadSetting: there is no such run.
        JanitorError: the run goes on, or holds its job's newest slot, or `cleanup` failed. The record stays, with the
            reason.
    """
    with state.read() as connection:
        row = run_records.get(connection, run_id)
        newest = row is not None and run_id == expired.newest_slot(connection, row.job)
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
