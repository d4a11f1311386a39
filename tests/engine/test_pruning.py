"""Pruning: what is old goes, and what is still needed stays."""

import threading
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, insert, select, update

from janitor.engine import pruning as pruning_module
from janitor.engine.pruning import LOOK_SECONDS, MOST_ROWS, Pruning, log_days, next_size
from janitor.errors import Fenced
from janitor.jobs import Job
from janitor.runs import Fence, Outcome
from janitor.state import actions, leases, recent
from janitor.state.shared_clock import SharedClock
from janitor.state.tables import run_logs, runs
from tests.small_engine import eventually, job_of, now, remember_run, rows_of, run_by_hand, runner_for, settings_for

DAY = timedelta(days=1)


def pruned(pruning: Pruning) -> int:
    """How many rows go in a whole round."""
    return sum(step.gone for step in pruning.round(now()))


def test_old_runs_are_forgotten_and_the_newest_slot_stays(tmp_path: Path, database_url: URL) -> None:
    with runner_for(settings_for(database_url, tmp_path, HISTORY_DAYS="7")) as runner:
        for job, age in (("often", 30), ("often", 20), ("often", 10), ("often", 3), ("rarely", 30), ("rarely", 20)):
            remember_run(runner.state, job, now() - timedelta(days=age))
        pruning = Pruning(runner.state, runner.settings, {}, runner.leadership)
        # What was recorded after newer runs goes in a later round.
        assert [pruned(pruning) for _ in range(3)] == [3, 1, 0]
        ages = {row.job: round((now() - row.slot_at) / timedelta(days=1)) for row in rows_of(runner.state)}
        assert ages == {"often": 3, "rarely": 20}


def test_whoever_does_not_lead_forgets_nothing(tmp_path: Path, database_url: URL) -> None:
    with runner_for(settings_for(database_url, tmp_path, HISTORY_DAYS="7"), leads=False) as runner:
        for age in (30, 20):
            remember_run(runner.state, "often", now() - timedelta(days=age))
        pruning = Pruning(runner.state, runner.settings, {}, runner.leadership, first_seconds=0)
        assert pruning.step() == LOOK_SECONDS and len(rows_of(runner.state)) == 2
        with pytest.raises(Fenced):
            pruned(pruning)
        # Another daemon has taken the lease, and this one has not noticed yet.
        runner.leadership.take(Fence(leases.DAEMON, 7))
        assert pruning.step() == LOOK_SECONDS and len(rows_of(runner.state)) == 2


def test_a_round_ends_with_its_lead(lite_url: URL, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given: a round that has taken a step. What happens: the lead is lost, and this daemon leads again.
    # What must hold: the round takes no further step. What it knew, another daemon may have changed.
    monkeypatch.setattr(pruning_module, "FIRST_ROWS", 1)
    with runner_for(settings_for(lite_url, tmp_path, HISTORY_DAYS="7")) as runner:
        for age in (40, 30, 20):
            remember_run(runner.state, "often", now() - timedelta(days=age))
        steps = Pruning(runner.state, runner.settings, {}, runner.leadership).round(now())
        assert next(steps).gone == 1
        with runner.state.begin() as connection:
            runner.leadership.take(
                leases.acquire(connection, leases.DAEMON, runner.holder, runner.state.now(connection), 60, again=True)
            )
        with pytest.raises(Fenced):
            next(steps)
        assert len(rows_of(runner.state)) == 2


def test_a_clock_set_years_ahead_makes_nothing_old(lite_url: URL, tmp_path: Path) -> None:
    # Given: runs of the last days. What happens: the state database's clock is set three years ahead.
    # What must hold: they stay for a day, in which it may be set right.
    server, boot = [now()], [100.0]
    clock = SharedClock(lambda connection: server[0], now, lambda: boot[0])

    def prune() -> int:
        boot[0] += 3600
        server[0] += timedelta(hours=1)
        with runner.state.begin() as connection:
            runner.state.now(connection)
        while pruning.step() < LOOK_SECONDS:
            pass
        return len(rows_of(runner.state))

    with runner_for(settings_for(lite_url, tmp_path, HISTORY_DAYS="7"), clock=clock) as runner:
        for age in (30, 3, 2):
            remember_run(runner.state, "often", now() - age * DAY)
        args = runner.state, runner.settings, dict[str, Job](), runner.leadership
        pruning = Pruning(*args, first_seconds=0, clock=lambda: boot[0])
        assert prune() == 2
        server[0] += 3 * 365 * DAY
        assert [prune() for _ in range(24)] == [2] * 24
        boot[0] += 3600
        assert prune() == 1, "the newest slot stays"


def test_nothing_is_forgotten_right_after_the_start(tmp_path: Path, database_url: URL) -> None:
    with runner_for(settings_for(database_url, tmp_path, HISTORY_DAYS="7")) as runner:
        for age in (30, 20):
            remember_run(runner.state, "often", now() - timedelta(days=age))
        Pruning(runner.state, runner.settings, {}, runner.leadership).step()
        assert len(rows_of(runner.state)) == 2
        Pruning(runner.state, runner.settings, {}, runner.leadership, first_seconds=0).step()
        assert len(rows_of(runner.state)) == 1


def test_nothing_is_forgotten_right_after_a_takeover(tmp_path: Path, database_url: URL) -> None:
    """Given a daemon that has pruned, and stood by for an hour.

    It comes to lead again. What was missed meanwhile must run first: nothing is deleted within the first minute.
    """
    time = 0.0
    with runner_for(settings_for(database_url, tmp_path, HISTORY_DAYS="7")) as runner:
        pruning = Pruning(runner.state, runner.settings, {}, runner.leadership, first_seconds=60, clock=lambda: time)
        pruning.step()
        time = 60.0
        pruning.step()
        for age in (30, 20):
            remember_run(runner.state, "often", now() - timedelta(days=age))
        lost = runner.lead.fence
        assert lost is not None
        runner.leadership.take(None)
        with runner.state.begin() as connection:
            leases.release(connection, lost)
            runner.leadership.take(leases.acquire(connection, leases.DAEMON, "again", now(), 60))
        time = 3660.0
        pruning.step()
        assert len(rows_of(runner.state)) == 2
        time = 3720.0
        pruning.step()
        assert len(rows_of(runner.state)) == 1


def task() -> dict[str, int]:
    """A task that counts rows."""
    return {"rows": 3}


def test_the_newest_success_that_others_build_on_stays(tmp_path: Path, database_url: URL) -> None:
    jobs: dict[str, Job] = {
        "source": job_of(task, id="source"),
        "user": job_of(task, id="user", dependencies=["source"]),
    }
    with runner_for(settings_for(database_url, tmp_path, HISTORY_DAYS="1")) as runner:
        ids = [run_by_hand(runner, task, id=job)[0] for job in ("source", "source", "user", "user")]
        remember_run(runner.state, "source", now(), "failed")
        with runner.state.begin() as connection:
            connection.execute(update(runs).values(started_at=now() - 9 * DAY))
        pruned(Pruning(runner.state, runner.settings, jobs, runner.leadership))
        assert [(row.job, row.outcome) for row in rows_of(runner.state)] == [
            ("source", "succeeded"),
            ("source", "failed"),
        ]
        with runner.state.read() as connection:
            assert recent.last_with(connection, ["source", "user"], Outcome.SUCCEEDED) == {"source": ids[1]}


def test_the_keeper_cleans_up_in_a_thread_of_its_own(tmp_path: Path, database_url: URL) -> None:
    with runner_for(settings_for(database_url, tmp_path, HISTORY_DAYS="1")) as runner:
        run_id = run_by_hand(runner, task)[0]
        with runner.state.begin() as connection:
            connection.execute(update(runs).values(started_at=now() - 9 * DAY))
        seen: list[int] = []
        jobs = {"task": job_of(task, cleanup=lambda run: seen.append(run.id))}
        pruned(Pruning(runner.state, runner.settings, jobs, runner.leadership))
        eventually(lambda: not rows_of(runner.state))
        assert seen == [run_id]


def test_a_cleanup_that_gets_no_thread_gets_one_later(lite_url: URL, tmp_path: Path) -> None:
    # Given a job with a cleanup, and a moment at which no thread can be started: each would need more memory than there
    # is. What must hold: the next look starts it, and the old run goes.
    with runner_for(settings_for(lite_url, tmp_path, HISTORY_DAYS="7")) as runner:
        run_by_hand(runner, task)
        with runner.state.begin() as connection:
            connection.execute(update(runs).values(started_at=now() - 9 * DAY))
        pruning = Pruning(
            runner.state, runner.settings, {"task": job_of(task, cleanup=lambda run: None)}, runner.leadership
        )
        usual = threading.stack_size(1 << 46)
        try:
            with pytest.raises(RuntimeError, match="can't start new thread"):
                pruned(pruning)
        finally:
            threading.stack_size(usual)
        pruned(pruning)
        eventually(lambda: not rows_of(runner.state))


def test_actions_go_by_their_age_a_little_at_a_time(tmp_path: Path, database_url: URL) -> None:
    # Given what people did over three years, noted out of order: a clock was wrong. What happens: pruning until nothing
    # goes. What must hold: all that is older than two years is gone, and nothing else.
    ages = [*range(1, 1096), 731, 729]
    with runner_for(settings_for(database_url, tmp_path)) as runner:
        assert runner.settings.actions_days == 730
        with runner.state.begin() as connection:
            for age in ages:
                actions.record(connection, "me", "paused", "task", "", now() - age * DAY)
        pruning = Pruning(runner.state, runner.settings, {}, runner.leadership)
        gone = [step.gone for step in pruning.round(now())]
        assert gone[0] == 100 and sum(gone) == 367 and pruned(pruning) == 0
        with runner.state.read() as connection:
            left = [(now() - row.at).days for row in actions.listing(connection, limit=2000)]
        assert left == [729, *range(729, 0, -1)]


LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", "NOTICE")
AGES = (14, 16, 29, 31, 89, 91, 179, 181)


def line(run_id: int, level: str, days: int) -> dict[str, Any]:
    at: datetime = now() - timedelta(days=days)
    return {"run_id": run_id, "at": at, "level": level, "logger": "x", "message": "x", "file": None, "line": None}


def test_log_lines_go_by_their_level_and_age(tmp_path: Path, database_url: URL) -> None:
    settings = settings_for(database_url, tmp_path)
    assert list(log_days(settings).values()) == [15, 30, 90, 180, 180] and settings.history_days == 365
    with runner_for(settings) as runner:
        run_id = run_by_hand(runner, task)[0]
        with runner.state.begin() as connection:
            connection.execute(run_logs.delete())
            connection.execute(insert(run_logs), [line(run_id, level, days) for level in LEVELS for days in AGES])
        pruned(Pruning(runner.state, runner.settings, {}, runner.leadership))
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


def test_a_step_takes_as_many_rows_as_a_tenth_of_a_second_lets_it() -> None:
    # Given steps of which each row takes a quarter of a millisecond, then five, then as good as nothing.
    # What must hold: a step lasts a tenth of a second soon, whatever a row takes; and it never has too many rows.
    rows = 100
    sizes = [rows := next_size(rows, rows * 0.00025) for _ in range(4)]
    assert sizes == [200, 400, 400, 400]
    sizes = [rows := next_size(rows, rows * 0.005) for _ in range(2)]
    assert sizes == [20, 20]
    assert [rows := next_size(rows, 0.0) for _ in range(20)][-1] == MOST_ROWS
