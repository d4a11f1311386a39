"""Runs that go: by age, each with its job's cleanup first; by level of their log lines; and what stays."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, insert, select, update

from janitor.engine.cleanup import prune
from janitor.engine.pruning import Pruning, log_days
from janitor.errors import JanitorError
from janitor.jobs import Job
from janitor.operations import deletion
from janitor.runs import Outcome, PastRun
from janitor.state import recent, result_records, retention
from janitor.state.retention import Bounds
from janitor.state.tables import run_logs, runs
from tests.small_engine import eventually, job_of, now, remember_run, rows_of, run_by_hand, runner_for, settings_for

DAY = timedelta(days=1)


def task() -> dict[str, int]:
    """A task whose result is kept."""
    return {"rows": 3}


def test_an_old_run_goes_once_its_cleanup_has_succeeded(state_url: URL, tmp_path: Path) -> None:
    cleaned: list[PastRun] = []
    refused: list[int] = []

    def cleanup(run: PastRun) -> None:
        if len(cleaned) == 1 and not refused:
            refused.append(run.id)
            raise OSError("disk on fire")
        cleaned.append(run)

    job = job_of(task, id="task", cleanup=cleanup, keeps_result=True)
    with runner_for(settings_for(state_url, tmp_path)) as runner:
        ids = [run_by_hand(runner, task, cleanup=cleanup, keeps_result=True)[0] for _ in range(3)]
        remember_run(runner.state, "task", now())
        bounds = Bounds(now() + DAY, 10_000, jobs=["task"])
        assert prune(runner.state, {"task": job}, runner.settings, bounds) == 2
        assert [(run.id, run.job, run.outcome, run.counts, run.result) for run in cleaned] == [
            (ids[0], "task", "succeeded", {"rows": 3}, {"rows": 3}),
            (ids[2], "task", "succeeded", {"rows": 3}, {"rows": 3}),
        ]
        stays, newest = rows_of(runner.state)
        said = f"cleanup of run {ids[1]} of task failed, so that its record stays: OSError: disk on fire"
        assert (stays.id, stays.kept_because) == (ids[1], said)
        assert newest.id == ids[2] + 1
        assert prune(runner.state, {"task": job}, runner.settings, bounds) == 0
        with runner.state.read() as connection:
            assert result_records.load(connection, ids[0]) is None
            assert connection.execute(select(run_logs).where(run_logs.c.run_id == ids[0])).all() == []


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


def test_the_newest_success_that_others_build_on_stays(state_url: URL, tmp_path: Path) -> None:
    jobs: dict[str, Job] = {
        "source": job_of(task, id="source"),
        "user": job_of(task, id="user", dependencies=["source"]),
    }
    with runner_for(settings_for(state_url, tmp_path, HISTORY_DAYS="1")) as runner:
        ids = [run_by_hand(runner, task, id=job)[0] for job in ("source", "source", "user", "user")]
        remember_run(runner.state, "source", now(), "failed")
        with runner.state.begin() as connection:
            connection.execute(update(runs).values(started_at=now() - 9 * DAY))
        Pruning(runner.state, runner.settings, jobs, runner.leadership).prune(now())
        assert [(row.job, row.outcome) for row in rows_of(runner.state)] == [
            ("source", "succeeded"),
            ("source", "failed"),
        ]
        with runner.state.read() as connection:
            assert recent.last_with(connection, ["source", "user"], Outcome.SUCCEEDED) == {"source": ids[1]}


def test_the_keeper_cleans_up_in_a_thread_of_its_own(state_url: URL, tmp_path: Path) -> None:
    with runner_for(settings_for(state_url, tmp_path, HISTORY_DAYS="1")) as runner:
        run_id = run_by_hand(runner, task)[0]
        with runner.state.begin() as connection:
            connection.execute(update(runs).values(started_at=now() - 9 * DAY))
        seen: list[int] = []
        jobs = {"task": job_of(task, cleanup=lambda run: seen.append(run.id))}
        Pruning(runner.state, runner.settings, jobs, runner.leadership).prune(now())
        eventually(lambda: not rows_of(runner.state))
        assert seen == [run_id]


def test_log_lines_go_by_their_level_and_age(state_url: URL, tmp_path: Path) -> None:
    settings = settings_for(state_url, tmp_path)
    assert list(log_days(settings).values()) == [15, 30, 90, 180] and settings.history_days == 365
    with runner_for(settings) as runner:
        run_id = run_by_hand(runner, task)[0]
        with runner.state.begin() as connection:
            connection.execute(run_logs.delete())
            connection.execute(insert(run_logs), [line(run_id, level, days) for level in LEVELS for days in AGES])
        Pruning(runner.state, runner.settings, {}, runner.leadership).prune(now())
        with runner.state.read() as connection:
            left = [(row.level, (now() - row.at).days) for row in connection.execute(select(run_logs))]
    assert left == [
        *[("DEBUG", 14)],
        *[("INFO", days) for days in (14, 16, 29)],
        *[("WARNING", days) for days in (14, 16, 29, 31, 89)],
        *[("ERROR", days) for days in (14, 16, 29, 31, 89, 91, 179)],
        *[("CRITICAL", days) for days in (14, 16, 29, 31, 89, 91, 179)],
        *[("NOTICE", days) for days in AGES],
    ]


LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", "NOTICE")
AGES = (14, 16, 29, 31, 89, 91, 179, 181)


def line(run_id: int, level: str, days: int) -> dict[str, Any]:
    at: datetime = now() - timedelta(days=days)
    return {"run_id": run_id, "at": at, "level": level, "logger": "x", "message": "x", "file": None, "line": None}


def test_logs_are_deleted_a_little_at_a_time(state_url: URL, tmp_path: Path) -> None:
    with runner_for(settings_for(state_url, tmp_path)) as runner:
        run_id = run_by_hand(runner, task)[0]
        with runner.state.begin() as connection:
            connection.execute(run_logs.delete())
            connection.execute(insert(run_logs), [line(run_id, "DEBUG", 20) for _ in range(1_200)])
        with runner.state.begin() as connection:
            gone = [retention.prune_logs(connection, ["DEBUG"], now() - 15 * DAY) for _ in range(4)]
        assert gone == [500, 500, 200, 0]
