"""Cleanup: a run goes once its cleanup has succeeded. If it failed, the run stays, and nothing of the failure does."""

import gc
import weakref
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import URL, select

from janitor.engine import cleanup
from janitor.engine.runner import Runner
from janitor.errors import Fenced
from janitor.runs import PastRun
from janitor.state import result_records
from janitor.state.expired import Bounds
from janitor.state.tables import run_logs
from tests.engine.keeping import give_away
from tests.small_engine import job_of, nothing, now, remember_run, rows_of, run_by_hand, runner_for, settings_for


def test_what_a_failed_cleanup_held_is_let_go(lite: Runner) -> None:
    """Given a cleanup with an object in a variable, an open file for example.

    The cleanup fails. The run must stay, with the reason, and the object be gone without a garbage collection.
    """

    class Held:
        """What a cleanup holds."""

    held: list[weakref.ref[Held]] = []

    def clean(run: PastRun) -> None:
        mine = Held()
        held.append(weakref.ref(mine))
        raise ValueError("still in use")

    run_by_hand(lite, nothing)
    job, bounds = job_of(nothing, cleanup=clean), Bounds(now() + timedelta(days=1), 100, jobs=["task"])
    gc.disable()
    try:
        assert cleanup.prune(lite.state, {job.id: job}, lite.settings, bounds) == 0
        assert held[0]() is None
    finally:
        gc.enable()
    (row,) = rows_of(lite.state)
    assert row.kept_because.endswith("ValueError: still in use")


def test_whoever_lost_the_lead_cleans_up_no_more(lite: Runner) -> None:
    # Given: two old runs of a job with a cleanup. What happens: the lead is lost while the first is cleaned up.
    # What must hold: neither record goes, and the second is not cleaned up: that is the new leader's.
    cleaned = list[int]()

    def clean(run: PastRun) -> None:
        cleaned.append(run.id)
        give_away(lite, "daemon")

    first, _ = run_by_hand(lite, nothing)
    run_by_hand(lite, nothing)
    job, bounds = job_of(nothing, cleanup=clean), Bounds(now() + timedelta(days=1), 100, jobs=["task"])
    for _ in range(2):
        with pytest.raises(Fenced):
            cleanup.prune(lite.state, {job.id: job}, lite.settings, bounds, lite.lead.fences)
        assert cleaned == [first] and len(rows_of(lite.state)) == 2


def task() -> dict[str, int]:
    """A task whose result is kept."""
    return {"rows": 3}


def test_an_old_run_goes_once_its_cleanup_has_succeeded(state_url: URL, tmp_path: Path) -> None:
    cleaned: list[PastRun] = []
    refused: list[int] = []

    def clean(run: PastRun) -> None:
        if len(cleaned) == 1 and not refused:
            refused.append(run.id)
            raise OSError("disk on fire")
        cleaned.append(run)

    job = job_of(task, id="task", cleanup=clean, keeps_result="always")
    with runner_for(settings_for(state_url, tmp_path)) as runner:
        ids = [run_by_hand(runner, task, cleanup=clean, keeps_result="always")[0] for _ in range(3)]
        remember_run(runner.state, "task", now())
        bounds = Bounds(now() + timedelta(days=1), 10_000, jobs=["task"])
        assert cleanup.prune(runner.state, {"task": job}, runner.settings, bounds) == 2
        assert [(run.id, run.job, run.outcome, run.counts, run.result) for run in cleaned] == [
            (ids[0], "task", "succeeded", {"rows": 3}, {"rows": 3}),
            (ids[2], "task", "succeeded", {"rows": 3}, {"rows": 3}),
        ]
        stays, newest = rows_of(runner.state)
        said = f"cleanup of run {ids[1]} of task failed, so that its record stays: OSError: disk on fire"
        assert (stays.id, stays.kept_because) == (ids[1], said)
        assert newest.id == ids[2] + 1
        assert cleanup.prune(runner.state, {"task": job}, runner.settings, bounds) == 0
        with runner.state.read() as connection:
            assert result_records.load(connection, ids[0]) is None
            assert connection.execute(select(run_logs).where(run_logs.c.run_id == ids[0])).all() == []
