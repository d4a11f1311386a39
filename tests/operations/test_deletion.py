"""Deleting a run: its job's cleanup comes first, what must stay is refused, and the deletion is remembered."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import URL

from janitor.errors import JanitorError
from janitor.jobs import Job
from janitor.operations import deletion
from janitor.runs import PastRun
from janitor.state import State, actions
from tests.small_engine import job_of, now, remember_run, rows_of, run_by_hand, runner_for, settings_for

DAY = timedelta(days=1)


def task() -> dict[str, int]:
    """A task that counts rows."""
    return {"rows": 3}


def done(state: State) -> list[tuple[str, str, str | None, str]]:
    """Who did what to what."""
    with state.read() as connection:
        return [(row.actor, row.action, row.job, row.detail) for row in actions.listing(connection)]


def test_a_run_is_deleted_after_its_cleanup(state_url: URL, tmp_path: Path) -> None:
    cleaned: list[PastRun] = []
    with runner_for(settings_for(state_url, tmp_path)) as runner:
        first, second = (run_by_hand(runner, task)[0] for _ in range(2))
        jobs: dict[str, Job] = {"task": job_of(task, cleanup=cleaned.append)}
        deletion.delete(runner.state, jobs, runner.settings, first, "anna", now())
        assert [(run.id, run.counts) for run in cleaned] == [(first, {"rows": 3})]
        assert [row.id for row in rows_of(runner.state)] == [second]
        assert done(runner.state) == [("anna", "deleted", "task", f"run {first}")]


def test_a_run_whose_cleanup_failed_is_not_deleted(state_url: URL, tmp_path: Path) -> None:
    def fail(run: PastRun) -> None:
        raise OSError("disk on fire")

    with runner_for(settings_for(state_url, tmp_path)) as runner:
        run_id, _ = run_by_hand(runner, task)
        with pytest.raises(JanitorError, match=f"cleanup of run {run_id} of task failed") as caught:
            deletion.delete(runner.state, {"task": job_of(task, cleanup=fail)}, runner.settings, run_id, "anna", now())
        (row,) = rows_of(runner.state)
        assert row.kept_because == str(caught.value) and "disk on fire" in row.kept_because
        assert done(runner.state) == []


def test_a_run_that_must_stay_is_not_deleted(state_url: URL, tmp_path: Path) -> None:
    with runner_for(settings_for(state_url, tmp_path)) as runner:
        remember_run(runner.state, "task", now() - DAY, None)
        remember_run(runner.state, "other", now() - DAY)

        def delete(run_id: int) -> None:
            deletion.delete(runner.state, {}, runner.settings, run_id, "anna", now())

        first, second = (row.id for row in rows_of(runner.state))
        with pytest.raises(JanitorError, match=f"run {first} of task goes on: cancel it first"):
            delete(first)
        with pytest.raises(JanitorError, match=f"run {second} holds the newest slot of other"):
            delete(second)
        with pytest.raises(JanitorError, match=f"RUN is '{second + 1}'"):
            delete(second + 1)
        assert len(rows_of(runner.state)) == 2
